-- Raises, listing everything that domain 005 needs and that is missing.

-- 001_callers
DO $$
DECLARE
  missing TEXT;
BEGIN
  WITH required (kind, name) AS (
    SELECT 'role', role FROM unnest(ARRAY['actors_trigger', 'actors_reader', 'actors_admin']) AS role
    UNION ALL
    SELECT 'membership', 'actors_api.' || role
    FROM unnest(ARRAY['actors_trigger', 'actors_reader', 'actors_admin']) AS role
    UNION ALL
    SELECT 'policy', format('public.%s.Actors readers can view %1$s', name)
    FROM unnest(ARRAY[
      'agencies', 'payment_plans', 'installments', 'jobs_log', 'supported_timezones', 'agency_cutoffs', 'agency_runs',
      'alerts', 'sweeps'
    ]) AS name
    UNION ALL
    SELECT 'policy', format('public.%s.Actors admins can view %1$s', name)
    FROM unnest(ARRAY[
      'agencies', 'payment_plans', 'installments', 'agency_cutoffs', 'agency_runs', 'alerts', 'sweeps', 'api_keys'
    ]) AS name
    UNION ALL
    VALUES
      ('policy', 'public.jobs_log.Actors triggers can view job logs they asked for'),
      ('policy', 'public.agencies.Actors admins can add agencies'),
      ('policy', 'public.agencies.Actors admins can change agencies'),
      ('policy', 'public.alerts.Actors admins can acknowledge alerts'),
      ('policy', 'public.api_keys.Actors admins can add api keys'),
      ('policy', 'public.api_keys.Actors admins can revoke api keys'),
      ('function', 'actors.caller_name()'), ('function', 'actors.caller_is_admin()'),
      ('function', 'actors.find_api_key(bytea)'), ('function', 'actors.note_api_key_use(uuid)'),
      ('column', 'public.alerts.acknowledged_note'),
      ('constraint', 'public.alerts.alerts_only_acknowledged_ones_have_a_note'),
      ('index', 'public.idx_api_keys_active_name')
  ),
  -- By name and not by role, since a role may be missing.
  table_right (role, relation, right_name) AS (
    SELECT role, 'public.' || relation, 'SELECT'
    FROM unnest(ARRAY['actors_reader', 'actors_admin']) AS role
    CROSS JOIN unnest(ARRAY[
      'agencies', 'payment_plans', 'installments', 'jobs_log', 'supported_timezones', 'agency_cutoffs', 'agency_runs',
      'alerts', 'sweeps'
    ]) AS relation
    UNION ALL
    SELECT 'authenticated', 'public.' || relation, 'SELECT'
    FROM unnest(ARRAY['agency_cutoffs', 'agency_runs', 'alerts', 'sweeps']) AS relation
    UNION ALL
    VALUES ('actors_trigger', 'public.jobs_log', 'SELECT'), ('actors_api', 'actors.schema_migrations', 'SELECT')
  ),
  column_right (role, relation, name, right_name) AS (
    SELECT 'actors_admin', 'public.agencies', name, right_name
    FROM unnest(ARRAY['name', 'timezone', 'overdue_cutoff_time', 'due_soon_threshold_days']) AS name
    CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE']) AS right_name
    UNION ALL
    SELECT role, 'public.alerts', name, 'UPDATE'
    FROM unnest(ARRAY['actors_admin', 'authenticated']) AS role
    CROSS JOIN unnest(ARRAY['acknowledged_at', 'acknowledged_by', 'acknowledged_note']) AS name
    UNION ALL
    SELECT role, 'public.api_keys', name, 'SELECT'
    FROM unnest(ARRAY['actors_admin', 'authenticated']) AS role
    CROSS JOIN unnest(ARRAY[
      'id', 'name', 'scopes', 'created_at', 'expires_at', 'revoked_at', 'last_used_at'
    ]) AS name
    UNION ALL
    SELECT role, 'public.api_keys', name, 'INSERT'
    FROM unnest(ARRAY['actors_admin', 'authenticated']) AS role
    CROSS JOIN unnest(ARRAY['id', 'name', 'key_hash', 'scopes', 'expires_at']) AS name
    UNION ALL
    SELECT role, 'public.api_keys', name, 'UPDATE'
    FROM unnest(ARRAY['actors_admin', 'authenticated']) AS role
    CROSS JOIN unnest(ARRAY['expires_at', 'revoked_at']) AS name
  ),
  function_right (role, name, allowed) AS (
    SELECT role, name, role <> 'anon'
    FROM unnest(ARRAY[
      'actors_trigger', 'actors_reader', 'actors_admin', 'authenticated', 'service_role', 'actors_api', 'anon'
    ]) AS role
    CROSS JOIN unnest(ARRAY['actors.caller_name()', 'actors.caller_is_admin()']) AS name
    UNION ALL
    SELECT role, name, role IN ('service_role', 'actors_api')
    FROM unnest(ARRAY[
      'actors_trigger', 'actors_reader', 'actors_admin', 'authenticated', 'service_role', 'actors_api', 'anon'
    ]) AS role
    CROSS JOIN unnest(ARRAY['actors.find_api_key(bytea)', 'actors.note_api_key_use(uuid)']) AS name
  ),
  problem (line) AS (
    SELECT format('%s %s is missing', kind, name) FROM required WHERE actors.definition_of(kind, name) IS NULL
    UNION ALL
    SELECT format('%s lacks %s on %s', role, right_name, relation) FROM table_right
    WHERE has_table_privilege(to_regrole(role), to_regclass(relation), right_name) IS NOT TRUE
    UNION ALL
    SELECT format('%s lacks %s (%s) on %s', role, right_name, name, relation) FROM column_right
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = to_regclass(relation) AND a.attname = column_right.name AND NOT a.attisdropped
        AND has_column_privilege(to_regrole(role), a.attrelid, a.attnum, right_name))
    UNION ALL
    SELECT format('%s %s execute %s', role, CASE WHEN allowed THEN 'may not' ELSE 'must not' END, name)
    FROM function_right
    WHERE has_function_privilege(to_regrole(role), to_regprocedure(name), 'EXECUTE') <> allowed
    UNION ALL
    SELECT format('%s lacks USAGE on schema %s', role, schema)
    FROM (VALUES
      ('actors_trigger', 'public'), ('actors_reader', 'public'), ('actors_admin', 'public'),
      ('actors_trigger', 'actors'), ('actors_reader', 'actors'), ('actors_admin', 'actors'),
      ('authenticated', 'actors'), ('actors_api', 'actors')
    ) AS required (role, schema)
    WHERE has_schema_privilege(to_regrole(role), to_regnamespace(schema), 'USAGE') IS NOT TRUE
    UNION ALL
    SELECT format('%s must not read api_keys.key_hash', role)
    FROM unnest(ARRAY['actors_api', 'actors_trigger', 'actors_reader', 'actors_admin', 'authenticated', 'anon']) AS role
    JOIN pg_attribute AS a ON a.attrelid = to_regclass('public.api_keys') AND a.attname = 'key_hash'
    WHERE has_column_privilege(to_regrole(role), a.attrelid, a.attnum, 'SELECT')
    UNION ALL
    SELECT format('actors.%s is not SECURITY DEFINER with search_path and row_security set', proname) FROM pg_proc
    WHERE oid IN (to_regprocedure('actors.find_api_key(bytea)'), to_regprocedure('actors.note_api_key_use(uuid)'))
      AND NOT (prosecdef AND proconfig @> ARRAY['search_path=public, pg_temp', 'row_security=off'])
    UNION ALL
    SELECT format('role %s may log in: ALTER ROLE %1$I NOLOGIN', rolname) FROM pg_roles
    WHERE rolname IN ('actors_trigger', 'actors_reader', 'actors_admin') AND rolcanlogin
  )
  SELECT string_agg(line, E'\n') INTO missing FROM problem;
  -- What was there before is the owner's to read; a silo's login looks at the rest.
  IF has_table_privilege('actors.found_before', 'SELECT') THEN
    SELECT nullif(concat_ws(E'\n', missing, string_agg(
        format('%s was made by a migration and has no row-level security', c.relname), E'\n')), '')
    INTO missing
    FROM pg_class AS c
    WHERE c.oid IN (to_regclass('public.agencies'), to_regclass('public.payment_plans'),
                    to_regclass('public.installments'))
      AND NOT c.relrowsecurity AND NOT EXISTS (
        SELECT FROM actors.found_before AS f
        WHERE f.migration = '001/001' AND f.kind = 'table' AND f.name = 'public.' || c.relname);
  END IF;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'domain 005_api_domain is incomplete:%', E'\n' || missing;
  END IF;
END
$$;

-- 002_agency_verbs
DO $$
DECLARE
  missing TEXT;
BEGIN
  WITH problem (line) AS (
    SELECT format('column %s.%s of type %s is missing', relation, name, type)
    FROM (VALUES
      ('agency_changes', 'id', 'bigint'), ('agency_changes', 'agency_id', 'uuid'),
      ('agency_changes', 'changed_at', 'timestamptz'), ('agency_changes', 'changed_by', 'text'),
      ('agency_changes', 'kind', 'text'), ('agency_changes', 'reason', 'text'), ('agency_changes', 'details', 'jsonb'),
      ('agency_run_undos', 'agency_run_id', 'uuid'), ('agency_run_undos', 'agency_id', 'uuid'),
      ('agency_run_undos', 'undone_at', 'timestamptz'), ('agency_run_undos', 'undone_by', 'text'),
      ('agency_run_undos', 'reason', 'text'), ('agency_run_undos', 'restored_ids', 'uuid[]'),
      ('agency_run_undos', 'left_out', 'jsonb')
    ) AS required (relation, name, type)
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = to_regclass('public.' || relation) AND a.attname = required.name
        AND a.atttypid = required.type::regtype)
    UNION ALL
    SELECT format('%s %s is missing', kind, name)
    FROM (VALUES
      ('index', 'public.agency_changes_agency_id_idx'), ('index', 'public.agency_runs_agency_id_completed_at_idx'),
      ('constraint', 'public.agency_changes.agency_changes_kind_check'),
      ('function', 'public.record_agency_changes()'), ('function', 'public.begin_where_ledger_ends()'),
      ('trigger', 'public.agencies.trigger_record_agency_insert'),
      ('trigger', 'public.agencies.trigger_record_agency_update'),
      ('trigger', 'public.agencies.trigger_record_agency_delete'),
      ('trigger', 'public.agency_cutoffs.trigger_begin_where_ledger_ends')
    ) AS required (kind, name)
    WHERE actors.definition_of(kind, name) IS NULL
    UNION ALL
    SELECT format('%s has no row-level security', relname) FROM pg_class
    WHERE oid IN (to_regclass('public.agency_changes'), to_regclass('public.agency_run_undos')) AND NOT relrowsecurity
    UNION ALL
    SELECT format('policy %s on %s is missing', format(policy, relation), relation)
    FROM unnest(ARRAY['agency_changes', 'agency_run_undos']) AS relation
    CROSS JOIN unnest(ARRAY[
      'Service role can do everything on %s', 'Actors readers can view %s', 'Actors admins can view %s'
    ]) AS policy
    WHERE actors.definition_of('policy', format('public.%s.%s', relation, format(policy, relation))) IS NULL
    UNION ALL
    SELECT format('%s %s %s on %s', role, CASE WHEN allowed THEN 'lacks' ELSE 'must not have' END, right_name, relation)
    FROM unnest(ARRAY['agency_changes', 'agency_run_undos']) AS relation
    CROSS JOIN (VALUES
      ('service_role', 'SELECT', true), ('service_role', 'INSERT', true), ('service_role', 'UPDATE', false),
      ('actors_reader', 'SELECT', true), ('actors_admin', 'SELECT', true), ('authenticated', 'SELECT', true),
      ('authenticated', 'INSERT', false), ('anon', 'SELECT', false)
    ) AS required (role, right_name, allowed)
    WHERE has_table_privilege(to_regrole(role), to_regclass('public.' || relation), right_name) <> allowed
    UNION ALL
    SELECT format('%s must not execute %s', role, p.proname)
    FROM unnest(ARRAY['anon', 'authenticated']) AS role, pg_proc AS p
    WHERE p.oid IN (to_regprocedure('public.record_agency_changes()'),
                    to_regprocedure('public.begin_where_ledger_ends()'))
      AND has_function_privilege(role, p.oid, 'EXECUTE')
  )
  SELECT string_agg(line, E'\n') INTO missing FROM problem;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'domain 005_api_domain is incomplete:%', E'\n' || missing;
  END IF;
END
$$;

-- 003_run_requests, 004_events
DO $$
DECLARE
  missing TEXT;
BEGIN
  WITH column_needed (relation, name, type) AS (
    VALUES
      ('run_requests', 'id', 'uuid'), ('run_requests', 'caller_id', 'text'), ('run_requests', 'requested_by', 'text'),
      ('run_requests', 'reason', 'text'), ('run_requests', 'idempotency_key', 'text'),
      ('run_requests', 'fingerprint', 'bytea'), ('run_requests', 'agency_id', 'uuid'),
      ('run_requests', 'agency_ids', 'uuid[]'),
      ('run_requests', 'requested_at', 'timestamptz'), ('run_requests', 'attempt', 'int'),
      ('run_requests', 'leased_until', 'timestamptz'), ('run_requests', 'completed_at', 'timestamptz'),
      ('run_requests', 'answer_status', 'int'), ('run_requests', 'answer_body', 'text'),
      ('events', 'id', 'bigint'), ('events', 'position', 'bigint'), ('events', 'at', 'timestamptz'),
      ('events', 'kind', 'text'), ('events', 'agency_id', 'uuid'), ('events', 'job_id', 'uuid'),
      ('events', 'alert_id', 'uuid'), ('events', 'details', 'jsonb')
  ),
  required (kind, name) AS (
    VALUES
      ('constraint', 'public.run_requests.run_requests_one_for_each_key'),
      ('constraint', 'public.run_requests.run_requests_key_has_1_to_255_characters'),
      ('constraint', 'public.run_requests.run_requests_fingerprint_is_sha256'),
      ('constraint', 'public.run_requests.run_requests_what_is_completed_is_answered'),
      ('index', 'public.run_requests_requested_at_idx'), ('index', 'public.run_requests_unanswered_idx'),
      ('policy', 'public.run_requests.The API can keep run_requests'),
      ('policy', 'public.run_requests.Service role can do everything on run_requests'),
      ('policy', 'public.run_requests.Actors readers can view run_requests'),
      ('policy', 'public.run_requests.Actors admins can view run_requests'),
      ('policy', 'public.run_requests.Actors triggers can view run_requests that they made'),
      ('constraint', 'public.events.events_one_at_each_position'),
      ('constraint', 'public.events.events_kind_check'),
      ('index', 'public.events_without_a_position_idx'),
      ('policy', 'public.events.Service role can do everything on events'),
      ('policy', 'public.events.Actors readers can view events'),
      ('policy', 'public.events.Actors admins can view events'),
      ('trigger', 'public.jobs_log.trigger_note_run_insert'),
      ('trigger', 'public.jobs_log.trigger_note_run_update'),
      ('trigger', 'public.jobs_log.trigger_note_run_delete'),
      ('trigger', 'public.alerts.trigger_note_alert_insert'),
      ('trigger', 'public.alerts.trigger_note_alert_update'),
      ('trigger', 'public.agency_changes.trigger_note_agency_changes')
  ),
  definer (name, called_by_the_api) AS (
    VALUES
      ('actors.trim_run_requests(interval,integer)', true), ('actors.trim_events(interval,integer)', true),
      ('actors.number_events()', true), ('actors.note_runs()', false), ('actors.note_alerts()', false),
      ('actors.note_agencies()', false)
  ),
  table_right (role, relation, right_name, allowed) AS (
    SELECT role, relation, right_name,
           CASE role
             WHEN 'service_role' THEN true
             WHEN 'actors_api' THEN relation = 'run_requests' AND right_name <> 'DELETE'
             WHEN 'actors_trigger' THEN relation = 'run_requests' AND right_name = 'SELECT'
             WHEN 'anon' THEN false
             ELSE right_name = 'SELECT' END
    FROM unnest(ARRAY[
      'service_role', 'actors_api', 'actors_trigger', 'actors_reader', 'actors_admin', 'authenticated', 'anon'
    ]) AS role
    CROSS JOIN unnest(ARRAY['run_requests', 'events']) AS relation
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS right_name
  ),
  problem (line) AS (
    SELECT format('column %s.%s of type %s is missing', relation, name, type) FROM column_needed AS c
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = to_regclass('public.' || c.relation) AND a.attname = c.name
        AND a.atttypid = c.type::regtype AND NOT a.attisdropped)
    UNION ALL
    SELECT format('%s %s is missing', kind, name) FROM required WHERE actors.definition_of(kind, name) IS NULL
    UNION ALL
    SELECT format('%s is missing, or not SECURITY DEFINER with search_path and row_security set', name) FROM definer
    WHERE NOT EXISTS (
      SELECT FROM pg_proc
      WHERE oid = to_regprocedure(name) AND prosecdef
        AND proconfig @> ARRAY['search_path=public, pg_temp', 'row_security=off'])
    UNION ALL
    SELECT format('%s %s execute %s', role, CASE WHEN allowed THEN 'may not' ELSE 'must not' END, name)
    FROM definer
    CROSS JOIN LATERAL (VALUES
      ('actors_api', called_by_the_api), ('service_role', called_by_the_api),
      ('actors_trigger', false), ('actors_reader', false), ('actors_admin', false),
      ('authenticated', false), ('anon', false)
    ) AS needed (role, allowed)
    WHERE has_function_privilege(to_regrole(role), to_regprocedure(name), 'EXECUTE') <> allowed
    UNION ALL
    SELECT format('%s has no row-level security', relname) FROM pg_class
    WHERE oid IN (to_regclass('public.run_requests'), to_regclass('public.events')) AND NOT relrowsecurity
    UNION ALL
    SELECT format('%s %s %s on %s', role, CASE WHEN allowed THEN 'lacks' ELSE 'must not have' END, right_name, relation)
    FROM table_right
    WHERE has_table_privilege(to_regrole(role), to_regclass('public.' || relation), right_name) <> allowed
  )
  SELECT string_agg(line, E'\n') INTO missing FROM problem;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'domain 005_api_domain is incomplete:%', E'\n' || missing;
  END IF;
END
$$;

-- 005_list_indexes
DO $$
DECLARE
  missing TEXT;
BEGIN
  WITH problem (line) AS (
    SELECT format('index public.%s is missing', name)
    FROM unnest(ARRAY[
      'idx_jobs_log_newest', 'idx_jobs_log_by_status', 'idx_jobs_log_by_trigger', 'idx_jobs_log_by_job_and_status',
      'idx_jobs_log_by_job_and_trigger', 'idx_jobs_log_by_trigger_and_status', 'idx_jobs_log_by_job_trigger_and_status',
      'agency_runs_unsuccessful_idx', 'agency_runs_beside_cutoffs_idx', 'alerts_newest_idx', 'alerts_open_idx',
      'alerts_kind_idx', 'alerts_severity_idx', 'alerts_agency_id_idx'
    ]) AS name
    WHERE actors.definition_of('index', 'public.' || name) IS NULL
    UNION ALL
    SELECT format('index public.%s is missing or does not cover %s', name, columns)
    FROM (VALUES
      ('idx_jobs_log_job_name', '(job_name, started_at DESC, id DESC)'),
      ('agency_runs_job_id_idx', '(job_id, agency_id)'),
      ('agency_runs_one_serves_each_cutoff', '(agency_id, cutoff_date) INCLUDE (job_id)')
    ) AS required (name, columns)
    WHERE coalesce(strpos(actors.definition_of('index', 'public.' || name), columns), 0) = 0
    UNION ALL
    SELECT format('installments has no index on (student_due_date, id) of what is %s', status)
    FROM unnest(ARRAY['overdue', 'pending']) AS status
    WHERE NOT actors.has_index('public.installments', '{student_due_date,id}',
      '^\(*status\)*(::text\)?)? = ''' || status || '''::[^ ]+\)*$')
    UNION ALL
    SELECT format('column public.jobs_log.%s is missing or is not generated', name)
    FROM unnest(ARRAY['run_trigger', 'run_facts']) AS name
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute
      WHERE attrelid = to_regclass('public.jobs_log') AND attname = name AND attgenerated = 's')
  )
  SELECT string_agg(line, E'\n') INTO missing FROM problem;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'domain 005_api_domain is incomplete:%', E'\n' || missing;
  END IF;
END
$$;

-- 006_agency_lists, 007_agencies_by_zone, 008_agencies_by_part_of_name
DO $$
DECLARE
  missing TEXT;
BEGIN
  WITH problem (line) AS (
    SELECT format('%s %s is missing', kind, name)
    FROM (VALUES
      ('index', 'public.agency_cutoffs_paused_idx'), ('index', 'public.agency_cutoffs_failed_idx'),
      ('index', 'public.agencies_name_order_idx'), ('index', 'public.agency_cutoffs_next_order_idx'),
      ('index', 'public.agency_cutoffs_last_order_idx'), ('index', 'public.agency_changes_history_idx'),
      ('function', 'actors.agency_state(timestamptz,integer,timestamptz,timestamptz,timestamptz)'),
      ('index', 'public.agencies_timezone_order_idx'), ('index', 'public.agencies_name_parts_idx'),
      ('function', 'actors.name_parts(text)')
    ) AS required (kind, name)
    WHERE actors.definition_of(kind, name) IS NULL
    UNION ALL
    SELECT format('%s %s execute actors.agency_state', role, CASE WHEN allowed THEN 'may not' ELSE 'must not' END)
    FROM (VALUES
      ('actors_reader', true), ('actors_admin', true), ('authenticated', true), ('service_role', true), ('anon', false),
      ('actors_trigger', false)
    ) AS required (role, allowed)
    WHERE has_function_privilege(
      to_regrole(role),
      to_regprocedure('actors.agency_state(timestamptz,integer,timestamptz,timestamptz,timestamptz)'),
      'EXECUTE') <> allowed
    UNION ALL
    SELECT 'not everybody may execute actors.name_parts, as every insert of an agency does'
    WHERE NOT has_function_privilege('anon', to_regprocedure('actors.name_parts(text)'), 'EXECUTE')
  )
  SELECT string_agg(line, E'\n') INTO missing FROM problem;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'domain 005_api_domain is incomplete:%', E'\n' || missing;
  END IF;
END
$$;
