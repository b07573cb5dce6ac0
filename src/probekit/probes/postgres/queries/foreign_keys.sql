-- Small tables first, so that a limited time covers most of them. Columns are compared as the constraint compares
-- them: by its own operators, with casts and collation where the columns differ (as in PostgreSQL's RI_Initial_Check).
-- Rows of inheriting tables do not belong to the key; a partitioned table has only such rows. conperiod exists from
-- PostgreSQL 18.
SELECT /* probekit */
       n.nspname::text AS schema, t.relname::text AS "table", (k.confmatchtype = 'f') AS match_full,
       (t.relkind <> 'p') AS is_only, pg_catalog.pg_table_is_visible(t.oid) AS is_visible,
       fn.nspname::text AS parent_schema, f.relname::text AS parent_table, (f.relkind <> 'p') AS parent_is_only,
       pg_catalog.pg_table_is_visible(f.oid) AS parent_is_visible,
       COALESCE((pg_catalog.to_jsonb(k) ->> 'conperiod')::boolean, false) AS is_temporal,
       (SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
                 'name', c.attname,
                 'cast', CASE WHEN o.oprright <> c.atttypid THEN pg_catalog.jsonb_build_array(rn.nspname, r.typname) END,
                 'parent', p.attname,
                 'parent_cast', CASE WHEN o.oprleft <> p.atttypid THEN pg_catalog.jsonb_build_array(ln.nspname, l.typname) END,
                 'operator', pg_catalog.jsonb_build_array(onsp.nspname, o.oprname),
                 'collation', CASE WHEN p.attcollation NOT IN (0, c.attcollation)
                                   THEN pg_catalog.jsonb_build_array(cn.nspname, x.collname) END)
               ORDER BY u.place)
          FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey), pg_catalog.unnest(k.conpfeqop))
               WITH ORDINALITY AS u(number, parent_number, operator, place)
          JOIN pg_catalog.pg_attribute AS c ON c.attrelid = k.conrelid AND c.attnum = u.number
          JOIN pg_catalog.pg_attribute AS p ON p.attrelid = k.confrelid AND p.attnum = u.parent_number
          JOIN pg_catalog.pg_operator AS o ON o.oid = u.operator
          JOIN pg_catalog.pg_namespace AS onsp ON onsp.oid = o.oprnamespace
          JOIN pg_catalog.pg_type AS l ON l.oid = o.oprleft
          JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.typnamespace
          JOIN pg_catalog.pg_type AS r ON r.oid = o.oprright
          JOIN pg_catalog.pg_namespace AS rn ON rn.oid = r.typnamespace
          LEFT JOIN pg_catalog.pg_collation AS x ON x.oid = p.attcollation
          LEFT JOIN pg_catalog.pg_namespace AS cn ON cn.oid = x.collnamespace) AS columns
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS t ON t.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_class AS f ON f.oid = k.confrelid
  JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.relnamespace
 WHERE k.contype = 'f' AND k.conparentid = 0
 ORDER BY t.reltuples, schema, "table", k.conname
