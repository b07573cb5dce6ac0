-- The parents that together cover a child's period, as RI_FKey_check of PostgreSQL 18 selects them.
SELECT FROM (SELECT {parent_period} AS period
               FROM {parent} AS p
              WHERE {same} AND {parent_period} OPERATOR(pg_catalog.&&) {period}) AS r
HAVING {period} OPERATOR(pg_catalog.<@) pg_catalog.range_agg(r.period)
