-- Read-only defaults that apply to the application: of the database, of all roles and of the database's owner; not those
-- of probekit's own role.
SELECT /* probekit */
       COALESCE(r.rolname, 'every role')::text AS "role"
  FROM pg_catalog.pg_db_role_setting AS s
  JOIN pg_catalog.pg_database AS d ON d.datname = pg_catalog.current_database()
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
 WHERE s.setdatabase IN (0, d.oid)
   AND s.setrole IN (0, d.datdba)
   AND r.rolname IS DISTINCT FROM current_user
   AND EXISTS (SELECT 1 FROM pg_catalog.unnest(s.setconfig) AS c
                WHERE c ~* '^default_transaction_read_only=(on|t|tr|tru|true|y|ye|yes|1)$')
