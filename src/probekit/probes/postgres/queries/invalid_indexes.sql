-- A role that may not see other roles' builds gets rows of pg_stat_progress_create_index without a relation.
SELECT /* probekit */
       n.nspname::text AS schema, c.relname::text AS index, (c.relkind = 'I') AS is_parent,
       i.indisready AS is_maintained, i.indisunique AS is_unique,
       (c.relname ~ '_cc(new|old)[0-9]*$') AS is_copy,
       EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p
                WHERE p.datname = pg_catalog.current_database()
                  AND (p.index_relid = i.indexrelid
                       OR (p.command = 'REINDEX CONCURRENTLY' AND c.relname ~ '_cc(new|old)[0-9]*$'))) AS building,
       EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index AS p
                WHERE p.datname = pg_catalog.current_database() AND p.relid IS NULL) AS hidden_build
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
   AND n.nspname !~ '^pg_(toast_)?temp_'
 ORDER BY schema, index
