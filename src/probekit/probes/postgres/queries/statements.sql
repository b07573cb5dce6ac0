-- Without probekit's own statements, which carry a mark; other statements of its role may be the application's.
SELECT /* probekit */
       s.queryid, s.userid::bigint AS userid, s.calls, s.total_exec_time,
       i.dealloc AS thrown_away, i.stats_reset::text AS reset
  FROM {schema}.pg_stat_statements_info AS i
  LEFT JOIN {schema}.pg_stat_statements AS s
    ON s.dbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
   AND s.toplevel
   AND NOT (s.userid = (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)
            AND (s.query LIKE '%/* probekit */%' OR s.query IN ('BEGIN READ ONLY', 'ROLLBACK')))
