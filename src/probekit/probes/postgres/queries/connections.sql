-- Every connection limit of the application, without that of probekit's own role.
SELECT /* probekit */
       'the server' AS what,
       pg_catalog.current_setting('max_connections')::int
         - pg_catalog.current_setting('superuser_reserved_connections')::int
         - COALESCE(pg_catalog.current_setting('reserved_connections', true)::int, 0) AS usable,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_type = 'client backend') AS used
UNION ALL
SELECT 'role ' || r.rolname, r.rolconnlimit,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a
         WHERE a.usesysid = r.oid AND a.backend_type = 'client backend')
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolconnlimit > 0 AND r.rolcanlogin AND r.rolname <> current_user
   AND EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity AS a
                WHERE a.usesysid = r.oid AND a.datname = pg_catalog.current_database())
UNION ALL
SELECT 'database ' || d.datname, d.datconnlimit,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a
         WHERE a.datid = d.oid AND a.backend_type = 'client backend')
  FROM pg_catalog.pg_database AS d
 WHERE d.datconnlimit > 0 AND d.datname = pg_catalog.current_database()
