-- Whether a standby receives and applies. Settings are read only as set or not: primary_conninfo may hold a password.
SELECT /* probekit */
       pg_catalog.pg_is_wal_replay_paused() AS paused,
       (r.pid IS NOT NULL) AS has_receiver, r.status::text AS receiver,
       COALESCE(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn()), 0)::bigint
         AS unapplied,
       pg_catalog.pg_last_wal_replay_lsn()::text AS applied,
       (SELECT s.setting <> '' FROM pg_catalog.pg_settings AS s WHERE s.name = 'primary_conninfo') AS has_upstream,
       (SELECT s.setting <> '' FROM pg_catalog.pg_settings AS s WHERE s.name = 'restore_command') AS has_archive,
       (SELECT s.setting::bigint FROM pg_catalog.pg_settings AS s WHERE s.name = 'recovery_min_apply_delay') AS delay
  FROM (VALUES (1)) AS always
  LEFT JOIN pg_catalog.pg_stat_wal_receiver AS r ON true
