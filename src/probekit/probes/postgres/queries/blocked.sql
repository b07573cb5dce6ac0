-- Driven by pg_locks, which every role sees; a blocker with pid 0 is a prepared transaction.
SELECT /* probekit */
       l.pid,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.min(COALESCE(l.waitstart, a.query_start)))::float8 AS waited,
       pg_catalog.pg_blocking_pids(l.pid) AS blockers
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE NOT l.granted
   AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
   AND COALESCE(a.datname = pg_catalog.current_database(), true)
 GROUP BY l.pid
 ORDER BY waited DESC NULLS LAST
