-- Orphans of one relation, counted up to a limit: one is already a failure.
SELECT /* probekit */ pg_catalog.count(*) AS found
  FROM (SELECT 1
          FROM {child} AS c
         WHERE {present}
           AND NOT EXISTS ({parents})
           AND {recent}
         LIMIT 1000) AS s
