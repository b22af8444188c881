-- What 001_callers.sql made goes, what was there before is as it was. Keys lose nothing; acknowledgements lose their
-- notes.
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
