-- Raises, listing everything that domain 004 needs and that is missing. The original's queries, which only printed,
-- stand here in its order: extensions (none is needed), jobs_log, agency fields, function, schedule (none is needed).

-- 001_jobs_infrastructure
DO $$
DECLARE
  missing TEXT;
BEGIN
  WITH problem (line) AS (
    SELECT format('column %s.%s of type %s is missing', relation, name, type)
    FROM (VALUES
      ('jobs_log', 'id', 'uuid'), ('jobs_log', 'job_name', 'text'), ('jobs_log', 'started_at', 'timestamptz'),
      ('jobs_log', 'completed_at', 'timestamptz'), ('jobs_log', 'records_updated', 'int'),
      ('jobs_log', 'error_message', 'text'), ('jobs_log', 'metadata', 'jsonb'),
      ('jobs_log', 'created_at', 'timestamptz'), ('agencies', 'overdue_cutoff_time', 'time'),
      ('agencies', 'due_soon_threshold_days', 'int'), ('supported_timezones', 'name', 'text'),
      ('supported_timezones', 'added_at', 'timestamptz')
    ) AS required (relation, name, type)
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = to_regclass('public.' || relation) AND a.attname = required.name
        AND a.atttypid = required.type::regtype)
    UNION ALL
    SELECT format('%s %s is missing', kind, name)
    FROM (VALUES
      ('column', 'public.jobs_log.status'), ('column', 'public.agencies.timezone'),
      ('index', 'public.idx_jobs_log_job_name'), ('index', 'public.idx_jobs_log_status'),
      ('policy', 'public.jobs_log.Admin users can view all job logs'),
      ('policy', 'public.jobs_log.Service role can view job logs'),
      ('policy', 'public.jobs_log.Service role can insert job logs'),
      ('policy', 'public.jobs_log.Service role can update job logs'),
      ('policy', 'public.jobs_log.Service role can delete job logs'),
      ('policy', 'public.supported_timezones.Everybody can view supported timezones'),
      ('policy', 'public.supported_timezones.Service role can manage supported timezones'),
      ('constraint', 'public.agencies.agencies_cutoff_time_check'),
      ('constraint', 'public.agencies.agencies_due_soon_days_check'),
      ('function', 'public.update_installment_statuses()'), ('function', 'public.notify_job_failure()'),
      ('trigger', 'public.jobs_log.trigger_notify_job_failure')
    ) AS required (kind, name)
    WHERE actors.definition_of(kind, name) IS NULL
    UNION ALL
    SELECT 'agencies_timezone_check is no foreign key to supported_timezones'
    WHERE NOT EXISTS (
      SELECT FROM pg_constraint
      WHERE conname = 'agencies_timezone_check' AND conrelid = to_regclass('public.agencies')
        AND contype = 'f' AND confrelid = to_regclass('public.supported_timezones') AND convalidated)
    UNION ALL
    SELECT format('agencies.%s may be NULL or has no default', attname) FROM pg_attribute
    WHERE attrelid = to_regclass('public.agencies')
      AND attname IN ('timezone', 'overdue_cutoff_time', 'due_soon_threshold_days')
      AND NOT (attnotnull AND atthasdef)
    UNION ALL
    SELECT format('%s has no row-level security', relname) FROM pg_class
    WHERE oid IN (to_regclass('public.jobs_log'), to_regclass('public.supported_timezones')) AND NOT relrowsecurity
    UNION ALL
    SELECT format('supported_timezones lacks %s', name)
    FROM unnest(ARRAY[
      'Australia/Brisbane', 'Australia/Sydney', 'Australia/Melbourne', 'Australia/Perth', 'Australia/Adelaide',
      'America/Los_Angeles', 'America/New_York', 'America/Chicago', 'Europe/London', 'Europe/Paris', 'Asia/Tokyo',
      'Asia/Singapore', 'Pacific/Auckland', 'UTC'
    ]) AS name
    WHERE name NOT IN (SELECT z.name FROM supported_timezones AS z)
    UNION ALL
    SELECT 'update_installment_statuses() is not SECURITY DEFINER with search_path and row_security set' FROM pg_proc
    WHERE oid = to_regprocedure('public.update_installment_statuses()')
      AND NOT (prosecdef AND proconfig @> ARRAY['search_path=public, pg_temp', 'row_security=off'])
    UNION ALL
    SELECT format('%s %s execute update_installment_statuses()', role,
      CASE WHEN allowed THEN 'may not' ELSE 'must not' END)
    FROM (VALUES ('service_role', true), ('anon', false), ('authenticated', false)) AS required (role, allowed)
    WHERE has_function_privilege(role, to_regprocedure('public.update_installment_statuses()'), 'EXECUTE') <> allowed
    UNION ALL
    SELECT format('%s lacks %s on %s', role, right_name, relation)
    FROM (VALUES
      ('service_role', 'jobs_log', 'SELECT'), ('service_role', 'jobs_log', 'INSERT'),
      ('service_role', 'jobs_log', 'UPDATE'), ('service_role', 'jobs_log', 'DELETE'),
      ('authenticated', 'jobs_log', 'SELECT'), ('authenticated', 'supported_timezones', 'SELECT'),
      ('service_role', 'supported_timezones', 'SELECT'), ('service_role', 'supported_timezones', 'INSERT')
    ) AS required (role, relation, right_name)
    WHERE NOT has_table_privilege(role, to_regclass('public.' || relation), right_name)
    UNION ALL
    SELECT format('%s has no comment', name)
    FROM unnest(ARRAY['timezone', 'overdue_cutoff_time', 'due_soon_threshold_days']) AS name
    JOIN pg_attribute AS a ON a.attrelid = to_regclass('public.agencies') AND a.attname = name
    WHERE col_description(a.attrelid, a.attnum) IS NULL
    UNION ALL
    SELECT 'jobs_log has no comment'
    WHERE obj_description(to_regclass('public.jobs_log'), 'pg_class') IS NULL
  )
  SELECT string_agg(line, E'\n') INTO missing FROM problem;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'domain 004_notifications_domain is incomplete:%', E'\n' || missing;
  END IF;
END
$$;

-- 002_cutoffs_and_runs, 003_serving_cutoffs, 004_watchdog
DO $$
DECLARE
  missing TEXT;
BEGIN
  WITH problem (line) AS (
    SELECT format('column %s.%s of type %s is missing', relation, name, type)
    FROM (VALUES
      ('agency_cutoffs', 'agency_id', 'uuid'), ('agency_cutoffs', 'last_cutoff_date', 'date'),
      ('agency_cutoffs', 'last_cutoff_at', 'timestamptz'), ('agency_cutoffs', 'next_cutoff_date', 'date'),
      ('agency_cutoffs', 'next_cutoff_at', 'timestamptz'), ('agency_cutoffs', 'tzdb_version', 'text'),
      ('agency_cutoffs', 'settings_changed_at', 'timestamptz'), ('agency_cutoffs', 'paused_at', 'timestamptz'),
      ('agency_cutoffs', 'paused_reason', 'text'), ('agency_cutoffs', 'set_aside_until', 'timestamptz'),
      ('agency_cutoffs', 'failed_attempts', 'int'), ('agency_cutoffs', 'last_error', 'text'),
      ('agency_runs', 'id', 'uuid'), ('agency_runs', 'job_id', 'uuid'), ('agency_runs', 'agency_id', 'uuid'),
      ('agency_runs', 'cutoff_date', 'date'), ('agency_runs', 'cutoff_at', 'timestamptz'),
      ('agency_runs', 'serves_cutoff', 'boolean'), ('agency_runs', 'trigger', 'text'),
      ('agency_runs', 'requested_by', 'text'), ('agency_runs', 'reason', 'text'),
      ('agency_runs', 'started_at', 'timestamptz'), ('agency_runs', 'completed_at', 'timestamptz'),
      ('agency_runs', 'late_by', 'interval'), ('agency_runs', 'status', 'text'),
      ('agency_runs', 'records_updated', 'int'), ('agency_runs', 'installment_ids', 'uuid[]'),
      ('agency_runs', 'timezone', 'text'), ('agency_runs', 'overdue_cutoff_time', 'time'),
      ('agency_runs', 'resolution', 'text'), ('agency_runs', 'tzdb_version', 'text'),
      ('agency_runs', 'error_message', 'text'), ('alerts', 'id', 'uuid'), ('alerts', 'kind', 'text'),
      ('alerts', 'severity', 'text'), ('alerts', 'dedup_key', 'text'), ('alerts', 'agency_id', 'uuid'),
      ('alerts', 'job_id', 'uuid'), ('alerts', 'message', 'text'), ('alerts', 'details', 'jsonb'),
      ('alerts', 'raised_at', 'timestamptz'), ('alerts', 'acknowledged_at', 'timestamptz'),
      ('alerts', 'acknowledged_by', 'text'), ('alerts', 'resolved_at', 'timestamptz'),
      ('sweeps', 'job_name', 'text'), ('sweeps', 'swept_at', 'timestamptz'), ('sweeps', 'swept_by', 'text'),
      ('sweeps', 'agencies_found', 'int')
    ) AS required (relation, name, type)
    WHERE NOT EXISTS (
      SELECT FROM pg_attribute AS a
      WHERE a.attrelid = to_regclass('public.' || relation) AND a.attname = required.name
        AND a.atttypid = required.type::regtype)
    UNION ALL
    SELECT format('%s %s is missing', kind, name)
    FROM (VALUES
      ('index', 'public.agency_cutoffs_next_cutoff_at_idx'), ('index', 'public.agency_runs_one_serves_each_cutoff'),
      ('index', 'public.agency_runs_one_failure_without_a_date'), ('index', 'public.agency_runs_job_id_idx'),
      ('index', 'public.idx_jobs_log_running'), ('index', 'public.alerts_one_open_per_problem'),
      ('trigger', 'public.agencies.trigger_note_agency_insert'),
      ('trigger', 'public.agencies.trigger_note_agency_update'),
      ('function', 'public.note_agency_change()'),
      ('function', 'public.raise_alert(text,text,text,uuid,uuid,text,jsonb,timestamp with time zone)'),
      ('function', 'public.close_run(uuid,timestamp with time zone,interval,jsonb)'),
      ('function', 'public.agencies_left_in_run(public.jobs_log)'),
      ('function', 'public.cutoff_in_sql(date,time without time zone,text)'),
      ('function', 'public.serve_agency_in_sql(uuid,uuid,timestamp with time zone,boolean)'),
      ('function', 'public.serve_cutoffs_in_sql(timestamp with time zone,boolean)'),
      ('function',
       'public.note_agency_failure(uuid,uuid,timestamp with time zone,text,text,text,text,text,interval)'),
      ('function', 'public.run_watchdog(timestamp with time zone,interval)')
    ) AS required (kind, name)
    WHERE actors.definition_of(kind, name) IS NULL
    UNION ALL
    SELECT format('%s has no row-level security, or service_role has no policy on it', name)
    FROM unnest(ARRAY['agency_cutoffs', 'agency_runs', 'alerts', 'sweeps']) AS name
    JOIN pg_class AS c ON c.oid = to_regclass('public.' || name)
    WHERE NOT c.relrowsecurity OR NOT EXISTS (
      SELECT FROM pg_policy WHERE polrelid = c.oid AND 'service_role'::regrole = ANY (polroles))
    UNION ALL
    SELECT format('service_role lacks %s on %s', right_name, name)
    FROM unnest(ARRAY['agency_cutoffs', 'agency_runs', 'alerts', 'sweeps']) AS name,
         unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS right_name
    WHERE NOT has_table_privilege('service_role', to_regclass('public.' || name), right_name)
    UNION ALL
    SELECT format('%s must not execute %s', role, p.proname)
    FROM unnest(ARRAY['anon', 'authenticated']) AS role, pg_proc AS p
    WHERE p.pronamespace = 'public'::regnamespace
      AND p.proname IN ('close_run', 'serve_cutoffs_in_sql', 'serve_agency_in_sql', 'note_agency_failure',
                        'raise_alert', 'run_watchdog', 'note_agency_change')
      AND has_function_privilege(role, p.oid, 'EXECUTE')
    UNION ALL
    SELECT format('agency %s has no row in agency_cutoffs', a.id)
    FROM agencies AS a
    WHERE NOT EXISTS (SELECT FROM agency_cutoffs AS c WHERE c.agency_id = a.id)
  )
  SELECT string_agg(line, E'\n') INTO missing FROM problem;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'domain 004_notifications_domain is incomplete:%', E'\n' || missing;
  END IF;
END
$$;
