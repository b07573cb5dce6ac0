-- Without probekit's own sessions; other sessions of its role count, because the role may be the application's.
SELECT /* probekit */
       a.pid, a.query_id,
       EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.query_start)::float8 AS running
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.backend_type = 'client backend'
   AND a.state = 'active'
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.datname = pg_catalog.current_database()
   AND NOT (a.usename = current_user AND a.application_name = 'probekit')
 ORDER BY running DESC
