-- Raises, listing everything that domain 002 needs and that is missing.
DO $$
DECLARE
  missing TEXT;
BEGIN
  WITH problem (line) AS (
    SELECT format('column api_keys.%s of type %s is missing', name, type)
    FROM (VALUES
      ('id', 'uuid'), ('name', 'text'), ('key_hash', 'bytea'), ('scopes', 'text[]'),
      ('created_at', 'timestamp with time zone'), ('expires_at', 'timestamp with time zone'),
      ('revoked_at', 'timestamp with time zone'), ('last_used_at', 'timestamp with time zone')
    ) AS required (name, type)
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = to_regclass('public.api_keys') AND a.attname = required.name
        AND format_type(a.atttypid, a.atttypmod) = required.type)
    UNION ALL
    SELECT format('%s %s is missing', kind, name)
    FROM (VALUES
      ('constraint', 'public.api_keys.api_keys_key_hash_key'),
      ('constraint', 'public.api_keys.api_keys_key_hash_check'),
      ('constraint', 'public.api_keys.api_keys_name_check'),
      ('index', 'public.idx_api_keys_active_name'),
      ('policy', 'public.api_keys.Service role can manage api keys')
    ) AS required (kind, name)
    WHERE actors.definition_of(kind, name) IS NULL
    UNION ALL
    SELECT 'api_keys has no row-level security' FROM pg_class
    WHERE oid = to_regclass('public.api_keys') AND NOT relrowsecurity
    UNION ALL
    SELECT format('%s %s %s on api_keys', role, CASE WHEN allowed THEN 'lacks' ELSE 'must not have' END, right_name)
    FROM (VALUES
      ('service_role', 'SELECT', true), ('service_role', 'INSERT', true), ('service_role', 'UPDATE', true),
      ('service_role', 'DELETE', true), ('anon', 'SELECT', false), ('authenticated', 'SELECT', false)
    ) AS required (role, right_name, allowed)
    WHERE has_table_privilege(role, to_regclass('public.api_keys'), right_name) <> allowed
  )
  SELECT string_agg(line, E'\n') INTO missing FROM problem;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'domain 002_access_domain is incomplete:%', E'\n' || missing;
  END IF;
END
$$;
