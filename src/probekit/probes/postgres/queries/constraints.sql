-- convalidated covers NOT ENFORCED of PostgreSQL 18 and constraints of domains; a disabled trigger leaves it true.
SELECT /* probekit */
       n.nspname::text AS schema, COALESCE(t.relname, d.typname)::text AS "table", k.conname::text AS name,
       CASE WHEN k.contypid <> 0 THEN 'of a domain, not validated' ELSE 'not validated' END AS why
  FROM pg_catalog.pg_constraint AS k
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = k.conrelid
  LEFT JOIN pg_catalog.pg_type AS d ON d.oid = k.contypid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = COALESCE(t.relnamespace, d.typnamespace)
 WHERE NOT k.convalidated
UNION ALL
SELECT n.nspname::text, t.relname::text, k.conname::text, 'trigger disabled'
  FROM pg_catalog.pg_trigger AS g
  JOIN pg_catalog.pg_constraint AS k ON k.oid = g.tgconstraint AND k.contype = 'f'
  JOIN pg_catalog.pg_class AS t ON t.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
 WHERE g.tgisinternal AND g.tgenabled IN ('D', 'R')
   AND k.convalidated
 GROUP BY 1, 2, 3
 ORDER BY 1, 2, 3
