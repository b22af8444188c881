-- Who calls the API, as PostgreSQL knows it: a role for each kind of API key, beside `authenticated` and `service_role`
-- for tokens. A request reads and writes in a transaction of its caller's role, so these rights and policies decide.

-- =====================================================
-- What is there already
-- =====================================================

SELECT actors.remember('role', role)
FROM unnest(ARRAY['actors_trigger', 'actors_reader', 'actors_admin']) AS role;

-- The login that migrates may act as any caller too, so that one login is enough to try everything.
SELECT actors.remember('membership', member || '.' || role)
FROM unnest(ARRAY['actors_trigger', 'actors_reader', 'actors_admin', 'authenticated', 'service_role']) AS role
CROSS JOIN (SELECT 'actors_api' UNION ALL SELECT session_user) AS logins (member);

SELECT actors.remember('rights on schema', 'public'), actors.remember('rights on schema', 'actors'),
       actors.remember('rights on table', 'actors.schema_migrations'),
       actors.remember('column', 'public.api_keys.name'), actors.remember('column', 'public.api_keys.scopes'),
       actors.remember('index', 'public.idx_api_keys_active_name');

SELECT actors.remember('rights on table', 'public.' || name), actors.remember('row security', 'public.' || name),
       actors.remember('policy', 'public.' || name || '.Actors readers can view ' || name),
       actors.remember('policy', 'public.' || name || '.Actors admins can view ' || name)
FROM unnest(ARRAY[
  'agencies', 'payment_plans', 'installments', 'jobs_log', 'supported_timezones', 'agency_cutoffs', 'agency_runs',
  'alerts', 'sweeps', 'api_keys', 'user_roles'
]) AS name;

SELECT actors.remember('policy', 'public.agencies.Actors admins can add agencies'),
       actors.remember('policy', 'public.agencies.Actors admins can change agencies'),
       actors.remember('policy', 'public.jobs_log.Actors triggers can view job logs they asked for');

-- =====================================================
-- Roles
-- =====================================================

-- A key acts as one of these, by the highest of its scopes. Nobody logs in as them.
SELECT actors.create_role('actors_trigger', 'NOLOGIN'),
       actors.create_role('actors_reader', 'NOLOGIN'),
       actors.create_role('actors_admin', 'NOLOGIN');

SELECT actors.grant_membership('actors_trigger', 'actors_api'),
       actors.grant_membership('actors_reader', 'actors_api'),
       actors.grant_membership('actors_admin', 'actors_api');

DO $$
DECLARE
  v_role text;
BEGIN
  -- A superuser may act as anybody without being a member.
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
    RETURN;
  END IF;
  FOREACH v_role IN ARRAY ARRAY['actors_trigger', 'actors_reader', 'actors_admin', 'authenticated', 'service_role'] LOOP
    BEGIN
      PERFORM actors.grant_membership(v_role, session_user);
    EXCEPTION WHEN insufficient_privilege THEN
      RAISE WARNING '%: an API that logs in as % will not answer callers of that role; use the login actors_api',
        SQLERRM, session_user;
    END;
  END LOOP;
END;
$$;

-- By name, as for the other roles: so the cluster knows that this database uses them, and no other can drop them.
GRANT USAGE ON SCHEMA public TO actors_trigger, actors_reader, actors_admin;
GRANT USAGE ON SCHEMA actors TO actors_trigger, actors_reader, actors_admin, authenticated, actors_api;

-- An API that runs without a silo looks at its start whether the schema is the one that it was built for.
GRANT SELECT ON actors.schema_migrations TO actors_api;

-- =====================================================
-- Who is asking
-- =====================================================

CREATE FUNCTION actors.caller_name()
RETURNS text
LANGUAGE sql
STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  -- A token's `name` is what its user likes to be called; that of a key is what its maker called it.
  SELECT coalesce(
    CASE WHEN claims ? 'key_id' THEN nullif(claims ->> 'name', '') END,
    nullif(claims ->> 'email', ''), nullif(claims ->> 'sub', ''), nullif(claims ->> 'role', ''), session_user)
  FROM (SELECT nullif(current_setting('request.jwt.claims', true), '')::jsonb) AS request (claims)
$$;

COMMENT ON FUNCTION actors.caller_name() IS
  'Under which name the caller''s work is recorded: the key''s name, or the token''s; without a request, the login';

-- In PL/pgSQL, because SQL would ask for the right to read user_roles before it looks at current_user, and a key's role
-- has none. Whoever is neither a key's role nor a user of the application is no admin, whatever the claims say.
CREATE FUNCTION actors.caller_is_admin()
RETURNS boolean
LANGUAGE plpgsql
STABLE
SET search_path = public, pg_temp
AS $$
BEGIN
  IF current_user IN ('actors_admin', 'service_role') THEN
    RETURN true;
  ELSIF current_user <> 'authenticated' THEN
    RETURN false;
  END IF;
  RETURN EXISTS (SELECT FROM user_roles AS r WHERE r.user_id = auth.uid() AND r.role = 'admin');
END;
$$;

COMMENT ON FUNCTION actors.caller_is_admin() IS
  'Whether the transaction''s role is that of an admin key or of service_role, or its user an admin by user_roles';

REVOKE ALL ON FUNCTION actors.caller_name(), actors.caller_is_admin() FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION actors.caller_name(), actors.caller_is_admin()
  TO actors_trigger, actors_reader, actors_admin, authenticated, service_role, actors_api;

-- =====================================================
-- Keys, as the API itself sees them
-- =====================================================

-- Before there is a caller there is no role to read api_keys as. The API's login may not read the table: these two
-- functions tell about one key, to whoever holds it.
CREATE FUNCTION actors.find_api_key(p_key_hash bytea)
RETURNS TABLE (
  id uuid, name text, key_hash bytea, scopes text[], is_live boolean, use_is_to_be_noted boolean)
LANGUAGE sql
STABLE
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
  SELECT k.id, k.name, k.key_hash, k.scopes,
         k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()),
         k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute'
  FROM api_keys AS k
  WHERE k.key_hash = p_key_hash
$$;

COMMENT ON FUNCTION actors.find_api_key(bytea) IS 'The key with this hash, live or not, by the database''s clock';

CREATE FUNCTION actors.note_api_key_use(p_id uuid)
RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
  -- A row that somebody holds locked is left alone: no request waits for this.
  WITH stale AS (
    SELECT k.id
    FROM api_keys AS k
    WHERE k.id = p_id AND (k.last_used_at IS NULL OR k.last_used_at < now() - interval '1 minute')
    FOR UPDATE SKIP LOCKED
  )
  UPDATE api_keys
  SET last_used_at = now()
  FROM stale
  WHERE api_keys.id = stale.id
$$;

COMMENT ON FUNCTION actors.note_api_key_use(uuid) IS
  'Notes that a key was used, unless that was noted within the last minute';

REVOKE ALL ON FUNCTION actors.find_api_key(bytea), actors.note_api_key_use(uuid) FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION actors.find_api_key(bytea), actors.note_api_key_use(uuid) TO service_role, actors_api;

-- A key that is rotated shares its name with its successor for a while: what it did and what its successor does is
-- recorded under one name. The index stays, and is not unique any more.
DROP INDEX public.idx_api_keys_active_name;
CREATE INDEX idx_api_keys_active_name ON public.api_keys (name) WHERE revoked_at IS NULL;
COMMENT ON COLUMN public.api_keys.name IS 'Who uses the key; several keys of one name while it is rotated';
COMMENT ON COLUMN public.api_keys.scopes IS
  'What the key may do: trigger (start runs), read (see everything), admin (both, and change what admins may)';

-- =====================================================
-- Alerts are acknowledged with a note
-- =====================================================

ALTER TABLE public.alerts
ADD COLUMN acknowledged_note text,
ADD CONSTRAINT alerts_only_acknowledged_ones_have_a_note
  CHECK (acknowledged_note IS NULL OR acknowledged_at IS NOT NULL);

COMMENT ON COLUMN public.alerts.acknowledged_note IS 'What whoever acknowledged it said about it';

-- =====================================================
-- Tables that the application may have had before us
-- =====================================================

-- Row-level security is switched on where our own migration made the table. Elsewhere the switch is the application's,
-- and users with a token are granted nothing that no policy would narrow.
DO $$
DECLARE
  v_table text;
  v_others text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['agencies', 'payment_plans', 'installments'] LOOP
    IF NOT EXISTS (
      SELECT FROM actors.found_before
      WHERE migration = '001/001' AND kind = 'table' AND name = 'public.' || v_table)
    THEN
      EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', v_table);
      EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, anon, authenticated', v_table);
      SELECT string_agg(DISTINCT r.grantee, ', ') INTO v_others
      FROM actors.rights_on('rights on table', 'public.' || v_table) AS r
      JOIN pg_class AS c ON c.oid = to_regclass('public.' || v_table)
      WHERE r.grantee NOT IN ('service_role', 'actors_silo', 'actors_api', quote_ident(pg_get_userbyid(c.relowner)));
      IF v_others IS NOT NULL THEN
        RAISE WARNING 'row-level security is on for table % from now on: % will see none of its rows without a policy',
          v_table, v_others;
      END IF;
    END IF;
    IF (SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass('public.' || v_table)) THEN
      EXECUTE format('GRANT SELECT ON public.%I TO authenticated', v_table);
    ELSIF has_any_column_privilege('authenticated', 'public.' || v_table, 'SELECT') THEN
      RAISE WARNING 'row-level security is off for table %: whoever has a token can read all of it, as before; %',
        v_table, format('to leave that to policies: ALTER TABLE %I ENABLE ROW LEVEL SECURITY;', v_table);
    ELSE
      RAISE WARNING 'row-level security is off for table %, so it is closed to users with a token, admins too; %',
        v_table, format('to open it to admins: ALTER TABLE %1$I ENABLE ROW LEVEL SECURITY; '
          'GRANT %2$s ON %1$I TO authenticated;', v_table, CASE v_table
            WHEN 'agencies' THEN 'SELECT, INSERT (id, name, timezone, overdue_cutoff_time, due_soon_threshold_days), '
              'UPDATE (name, timezone, overdue_cutoff_time, due_soon_threshold_days)'
            ELSE 'SELECT' END);
    END IF;
  END LOOP;
  IF (SELECT relrowsecurity FROM pg_class WHERE oid = 'public.agencies'::regclass) THEN
    GRANT INSERT (id, name, timezone, overdue_cutoff_time, due_soon_threshold_days),
          UPDATE (name, timezone, overdue_cutoff_time, due_soon_threshold_days) ON public.agencies TO authenticated;
  END IF;

  -- These two had row-level security from the start. Where a migration made them they keep what a policy is for, and
  -- lose what some platforms grant on all that is new: TRUNCATE asks no policy.
  FOR v_table IN
    SELECT name FROM (VALUES ('user_roles', '001/001'), ('jobs_log', '004/001')) AS made (name, by_migration)
    WHERE NOT EXISTS (
      SELECT FROM actors.found_before AS f
      WHERE f.migration = by_migration AND f.kind = 'table' AND f.name = 'public.' || made.name)
  LOOP
    EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, anon, authenticated', v_table);
    EXECUTE format('GRANT SELECT ON public.%I TO authenticated', v_table);
  END LOOP;
END;
$$;

-- =====================================================
-- Rights and policies
-- =====================================================

-- jobs_log keeps the original's policies for `authenticated`; all other tables have one in the same words. What is
-- asked of user_roles stands in a sub-select, so that it is asked once, not once for each row.
DO $$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY[
    'agencies', 'payment_plans', 'installments', 'jobs_log', 'supported_timezones', 'agency_cutoffs', 'agency_runs',
    'alerts', 'sweeps'
  ] LOOP
    EXECUTE format('GRANT SELECT ON public.%I TO actors_reader, actors_admin', v_table);
    IF actors.definition_of('policy', format('public.%s.Actors readers can view %1$s', v_table)) IS NULL THEN
      EXECUTE format('CREATE POLICY %I ON public.%I FOR SELECT TO actors_reader, actors_admin USING (true)',
        'Actors readers can view ' || v_table, v_table);
    END IF;
  END LOOP;
  FOREACH v_table IN ARRAY ARRAY['agency_cutoffs', 'agency_runs', 'alerts', 'sweeps'] LOOP
    EXECUTE format('GRANT SELECT ON public.%I TO authenticated', v_table);
  END LOOP;
  FOREACH v_table IN ARRAY ARRAY[
    'agencies', 'payment_plans', 'installments', 'agency_cutoffs', 'agency_runs', 'alerts', 'sweeps'
  ] LOOP
    IF actors.definition_of('policy', format('public.%s.Actors admins can view %1$s', v_table)) IS NULL THEN
      EXECUTE format(
        'CREATE POLICY %I ON public.%I FOR SELECT TO authenticated USING ((SELECT actors.caller_is_admin()))',
        'Actors admins can view ' || v_table, v_table);
    END IF;
  END LOOP;
END;
$$;

-- Whoever only triggers sees the runs that were asked for in its name, and nothing else.
GRANT SELECT ON public.jobs_log TO actors_trigger;
DO $$
BEGIN
  IF actors.definition_of('policy', 'public.jobs_log.Actors triggers can view job logs they asked for') IS NULL THEN
    CREATE POLICY "Actors triggers can view job logs they asked for"
      ON public.jobs_log
      FOR SELECT
      TO actors_trigger
      USING (metadata ->> 'requested_by' = (SELECT actors.caller_name()));
  END IF;
END;
$$;

-- Settings of an agency are an admin's to change; its rows of other tables follow by triggers and by the silos.
GRANT INSERT (id, name, timezone, overdue_cutoff_time, due_soon_threshold_days),
      UPDATE (name, timezone, overdue_cutoff_time, due_soon_threshold_days) ON public.agencies TO actors_admin;
DO $$
BEGIN
  IF actors.definition_of('policy', 'public.agencies.Actors admins can add agencies') IS NULL THEN
    CREATE POLICY "Actors admins can add agencies"
      ON public.agencies
      FOR INSERT
      TO actors_admin, authenticated
      WITH CHECK ((SELECT actors.caller_is_admin()));
  END IF;
  IF actors.definition_of('policy', 'public.agencies.Actors admins can change agencies') IS NULL THEN
    CREATE POLICY "Actors admins can change agencies"
      ON public.agencies
      FOR UPDATE
      TO actors_admin, authenticated
      USING ((SELECT actors.caller_is_admin()))
      WITH CHECK ((SELECT actors.caller_is_admin()));
  END IF;
END;
$$;

GRANT UPDATE (acknowledged_at, acknowledged_by, acknowledged_note) ON public.alerts TO actors_admin, authenticated;
CREATE POLICY "Actors admins can acknowledge alerts"
  ON public.alerts
  FOR UPDATE
  TO actors_admin, authenticated
  USING ((SELECT actors.caller_is_admin()))
  WITH CHECK ((SELECT actors.caller_is_admin()));

-- Keys are made, listed and revoked. A hash is never read back, and what a key may do is never widened.
GRANT SELECT (id, name, scopes, created_at, expires_at, revoked_at, last_used_at),
      INSERT (id, name, key_hash, scopes, expires_at),
      UPDATE (expires_at, revoked_at) ON public.api_keys TO actors_admin, authenticated;
CREATE POLICY "Actors admins can view api_keys"
  ON public.api_keys
  FOR SELECT
  TO actors_admin, authenticated
  USING ((SELECT actors.caller_is_admin()));
CREATE POLICY "Actors admins can add api keys"
  ON public.api_keys
  FOR INSERT
  TO actors_admin, authenticated
  WITH CHECK ((SELECT actors.caller_is_admin()));
CREATE POLICY "Actors admins can revoke api keys"
  ON public.api_keys
  FOR UPDATE
  TO actors_admin, authenticated
  USING ((SELECT actors.caller_is_admin()))
  WITH CHECK ((SELECT actors.caller_is_admin()));
