-- What 001_callers.sql made goes, what was there before is as it was. Of keys that share a name the newest is left;
-- acknowledgements lose their notes.
DROP POLICY "Actors admins can revoke api keys" ON public.api_keys;
DROP POLICY "Actors admins can add api keys" ON public.api_keys;
DROP POLICY "Actors admins can view api_keys" ON public.api_keys;
DROP POLICY "Actors admins can acknowledge alerts" ON public.alerts;

SELECT actors.put_back('policy', 'public.agencies.Actors admins can change agencies'),
       actors.put_back('policy', 'public.agencies.Actors admins can add agencies'),
       actors.put_back('policy', 'public.jobs_log.Actors triggers can view job logs they asked for');

SELECT actors.put_back('policy', 'public.' || name || '.Actors admins can view ' || name),
       actors.put_back('policy', 'public.' || name || '.Actors readers can view ' || name),
       actors.put_back('rights on table', 'public.' || name),
       actors.put_back('row security', 'public.' || name)
FROM unnest(ARRAY[
  'user_roles', 'api_keys', 'sweeps', 'alerts', 'agency_runs', 'agency_cutoffs', 'supported_timezones', 'jobs_log',
  'installments', 'payment_plans', 'agencies'
]) AS name;

ALTER TABLE public.alerts DROP COLUMN acknowledged_note;

-- Before, a name had one key: of several the newest goes on.
DO $$
DECLARE
  v_name text;
BEGIN
  FOR v_name IN
    WITH earlier AS (
      UPDATE public.api_keys AS k
      SET revoked_at = now()
      WHERE k.revoked_at IS NULL AND EXISTS (
        SELECT FROM public.api_keys AS later
        WHERE later.name = k.name AND later.revoked_at IS NULL AND (later.created_at, later.id) > (k.created_at, k.id))
      RETURNING k.name, k.expires_at IS NULL OR k.expires_at > now() AS was_live
    )
    SELECT DISTINCT name FROM earlier WHERE was_live ORDER BY name
  LOOP
    RAISE WARNING 'of the live API keys named "%" all but the newest were revoked: from here on a name has one', v_name;
  END LOOP;
END;
$$;

SELECT actors.put_back('index', 'public.idx_api_keys_active_name'),
       actors.put_back('column', 'public.api_keys.scopes'), actors.put_back('column', 'public.api_keys.name');

DROP FUNCTION actors.note_api_key_use(uuid);
DROP FUNCTION actors.find_api_key(bytea);
DROP FUNCTION actors.caller_is_admin();
DROP FUNCTION actors.caller_name();

SELECT actors.put_back('rights on table', 'actors.schema_migrations'),
       actors.put_back('rights on schema', 'actors'),
       actors.put_back('rights on schema', 'public');

SELECT actors.put_back('role', role)
FROM unnest(ARRAY['actors_admin', 'actors_reader', 'actors_trigger']) AS role;

-- The login that migrated up need not be the one that migrates down.
SELECT actors.put_back('membership', member || '.' || role)
FROM unnest(ARRAY['actors_trigger', 'actors_reader', 'actors_admin', 'authenticated', 'service_role']) AS role
CROSS JOIN (
  SELECT 'actors_api'
  UNION ALL
  SELECT applied_by FROM actors.schema_migrations WHERE version = current_setting('actors.migration')
) AS logins (member);
