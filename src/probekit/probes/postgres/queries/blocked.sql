-- Based on pg_locks, which every role sees; a blocker with pid 0 is a prepared transaction. A session waits for one
-- lock at a time; the key of an advisory lock is a bigint in two halves (objsubid 1) or two integers (2).
SELECT /* probekit */
       l.pid,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.min(COALESCE(l.waitstart, a.query_start)))::float8 AS waited,
       pg_catalog.pg_blocking_pids(l.pid) AS blockers,
       pg_catalog.min(l.locktype) AS locktype,
       pg_catalog.min(l.classid::bigint) AS high, pg_catalog.min(l.objid::bigint) AS low,
       pg_catalog.min(l.objsubid) AS parts
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE NOT l.granted
   AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
   AND COALESCE(a.datname = pg_catalog.current_database(), true)
 GROUP BY l.pid
 ORDER BY waited DESC NULLS LAST
