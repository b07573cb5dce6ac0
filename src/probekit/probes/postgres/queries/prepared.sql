SELECT /* probekit */
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - p.prepared)::float8 AS age
  FROM pg_catalog.pg_prepared_xacts AS p
 WHERE p.database = pg_catalog.current_database()
 ORDER BY age DESC
