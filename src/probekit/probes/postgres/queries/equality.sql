-- The equality operator for the columns of a declared pair: that of their types, in any schema, because a search path
-- without that schema would lead to another one (citext to text). No row: the operator of the search path.
SELECT /* probekit */ n.nspname::text AS schema, o.oprname::text AS operator
  FROM pg_catalog.pg_attribute AS p
  JOIN pg_catalog.pg_type AS pt ON pt.oid = p.atttypid
  JOIN pg_catalog.pg_attribute AS c ON c.attrelid = pg_catalog.to_regclass({child}) AND c.attname = {column}
  JOIN pg_catalog.pg_type AS ct ON ct.oid = c.atttypid
  JOIN pg_catalog.pg_operator AS o
    ON o.oprname = '='
   AND o.oprleft = COALESCE(NULLIF(pt.typbasetype, 0), pt.oid)
   AND o.oprright = COALESCE(NULLIF(ct.typbasetype, 0), ct.oid)
  JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace
 WHERE p.attrelid = pg_catalog.to_regclass({parent}) AND p.attname = {parent_column}
