-- The server that answers, and whether the role may see other roles' sessions.
SELECT /* probekit */
       pg_catalog.current_setting('server_version_num')::int AS version_num,
       pg_catalog.current_database()::text AS database,
       current_user::text AS "user",
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS full_visibility,
       EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity AS a
                WHERE a.state = 'disabled' AND a.datname = pg_catalog.current_database()) AS activity_off,
       EXISTS (SELECT 1 FROM pg_catalog.pg_settings
                WHERE name = 'default_transaction_read_only' AND setting = 'on'
                  AND source IN ('configuration file', 'command line')) AS read_only_server
