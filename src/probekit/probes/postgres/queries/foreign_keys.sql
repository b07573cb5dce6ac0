-- Small tables first, so that a bounded time shows most.
SELECT /* probekit */
       n.nspname::text AS schema, t.relname::text AS "table", (k.confmatchtype = 'f') AS match_full,
       fn.nspname::text AS parent_schema, f.relname::text AS parent_table,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.place)
          FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(number, place)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS columns,
       (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.place)
          FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u(number, place)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.number) AS parent_columns
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS t ON t.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_class AS f ON f.oid = k.confrelid
  JOIN pg_catalog.pg_namespace AS fn ON fn.oid = f.relnamespace
 WHERE k.contype = 'f' AND k.conparentid = 0
 ORDER BY t.reltuples, schema, "table", k.conname
