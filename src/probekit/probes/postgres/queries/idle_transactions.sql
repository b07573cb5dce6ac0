-- An aborted transaction has neither xact_start nor xid; its state identifies it.
SELECT /* probekit */
       a.pid,
       (a.backend_xid IS NOT NULL) AS has_xid,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.state_change)::float8 AS idle
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.backend_type = 'client backend'
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.datname = pg_catalog.current_database()
   AND a.state LIKE 'idle in transaction%'
 ORDER BY idle DESC
