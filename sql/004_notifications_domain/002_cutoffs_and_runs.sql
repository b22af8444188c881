-- The watermark of each agency, the ledger of what was served, alerts, and the traces of the sweep.
-- The reminders are the alarm clocks; these rows are the truth.

-- =====================================================
-- The watermark
-- =====================================================

CREATE TABLE public.agency_cutoffs (
  agency_id           uuid PRIMARY KEY REFERENCES public.agencies (id) ON DELETE CASCADE,
  last_cutoff_date    date,
  last_cutoff_at      timestamptz,
  next_cutoff_date    date,
  next_cutoff_at      timestamptz,
  tzdb_version        text,
  settings_changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  paused_at           timestamptz,
  paused_reason       text,
  set_aside_until     timestamptz,
  failed_attempts     integer NOT NULL DEFAULT 0,
  last_error          text,
  CONSTRAINT agency_cutoffs_last_date_and_instant_go_together
    CHECK ((last_cutoff_date IS NULL) = (last_cutoff_at IS NULL)),
  CONSTRAINT agency_cutoffs_next_date_and_instant_go_together
    CHECK ((next_cutoff_date IS NULL) = (next_cutoff_at IS NULL)),
  CONSTRAINT agency_cutoffs_no_date_is_skipped
    CHECK (next_cutoff_date = last_cutoff_date + 1),
  CONSTRAINT agency_cutoffs_failed_attempts_are_counted
    CHECK (failed_attempts >= 0)
);

COMMENT ON TABLE public.agency_cutoffs IS
  'How far each agency has been served. A row is locked before its agency is marked; the date never goes back';
COMMENT ON COLUMN public.agency_cutoffs.last_cutoff_date IS
  'The latest local date that was served; null for an agency that was never armed';
COMMENT ON COLUMN public.agency_cutoffs.next_cutoff_at IS
  'The instant of the next date to serve, by NodaTime; null when it must be computed anew';
COMMENT ON COLUMN public.agency_cutoffs.tzdb_version IS
  'The TZDB release that next_cutoff_at was computed with';
COMMENT ON COLUMN public.agency_cutoffs.settings_changed_at IS
  'Since when zone and cutoff time are what they are; lateness counts from the later of this and the cutoff';
COMMENT ON COLUMN public.agency_cutoffs.paused_at IS
  'While set, dates pass unserved';
COMMENT ON COLUMN public.agency_cutoffs.set_aside_until IS
  'After a failure: the sweep leaves the agency alone until then';
COMMENT ON COLUMN public.agency_cutoffs.failed_attempts IS
  'Failures in a row; the pause grows with them';

-- The sweep asks for what is unknown or past; paused agencies are neither.
CREATE INDEX agency_cutoffs_next_cutoff_at_idx ON public.agency_cutoffs (next_cutoff_at) WHERE paused_at IS NULL;

INSERT INTO public.agency_cutoffs (agency_id) SELECT id FROM public.agencies;

-- =====================================================
-- The ledger
-- =====================================================

-- No foreign key to agencies or jobs_log: the ledger outlives both, and a second foreign key to agencies deadlocked
-- deletions with the marker.
CREATE TABLE public.agency_runs (
  id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  job_id              uuid NOT NULL,
  agency_id           uuid NOT NULL,
  cutoff_date         date,
  cutoff_at           timestamptz,
  serves_cutoff       boolean NOT NULL,
  trigger             text NOT NULL,
  requested_by        text,
  reason              text,
  started_at          timestamptz NOT NULL,
  completed_at        timestamptz NOT NULL,
  late_by             interval,
  status              text NOT NULL,
  records_updated     integer NOT NULL DEFAULT 0,
  installment_ids     uuid[] NOT NULL DEFAULT '{}',
  timezone            text NOT NULL,
  overdue_cutoff_time time NOT NULL,
  resolution          text,
  tzdb_version        text NOT NULL,
  error_message       text,
  CONSTRAINT agency_runs_trigger_check CHECK (trigger IN ('reminder', 'catch_up', 'watchdog', 'api')),
  CONSTRAINT agency_runs_status_check CHECK (status IN ('success', 'failed', 'skipped')),
  CONSTRAINT agency_runs_resolution_check
    CHECK (resolution IN ('once', 'shifted', 'later_of_two', 'date_absent')),
  CONSTRAINT agency_runs_count_what_they_name
    CHECK (records_updated = cardinality(installment_ids)),
  CONSTRAINT agency_runs_only_success_marks
    CHECK (status = 'success' OR records_updated = 0),
  CONSTRAINT agency_runs_failures_say_why
    CHECK ((status = 'failed') = (error_message IS NOT NULL)),
  CONSTRAINT agency_runs_only_failures_lack_a_cutoff
    CHECK (status = 'failed' OR (cutoff_date IS NOT NULL AND cutoff_at IS NOT NULL AND resolution IS NOT NULL)),
  CONSTRAINT agency_runs_what_serves_has_a_date
    CHECK (NOT serves_cutoff OR cutoff_date IS NOT NULL)
);

COMMENT ON TABLE public.agency_runs IS
  'The ledger: exactly one row with serves_cutoff per agency and date since it was armed, even when it marked nothing';
COMMENT ON COLUMN public.agency_runs.job_id IS 'The row of jobs_log that this run is part of';
COMMENT ON COLUMN public.agency_runs.cutoff_date IS
  'The agency''s local date; null only for a failure before any date was known';
COMMENT ON COLUMN public.agency_runs.cutoff_at IS 'The instant of that date''s cutoff';
COMMENT ON COLUMN public.agency_runs.serves_cutoff IS
  'False for a run that was asked for when nothing was unserved';
COMMENT ON COLUMN public.agency_runs.late_by IS
  'From the later of cutoff_at and the last change of settings; null for an agency''s first row, or if none is served';
COMMENT ON COLUMN public.agency_runs.installment_ids IS 'What this run alone marked';
COMMENT ON COLUMN public.agency_runs.resolution IS
  'How the local cutoff time became an instant: once, shifted (skipped by a clock change), later_of_two, date_absent';
COMMENT ON COLUMN public.agency_runs.tzdb_version IS
  'The TZDB release that decided, or ''postgresql …'' where the database alone did';

CREATE UNIQUE INDEX agency_runs_one_serves_each_cutoff
  ON public.agency_runs (agency_id, cutoff_date) WHERE serves_cutoff;
CREATE UNIQUE INDEX agency_runs_one_failure_without_a_date
  ON public.agency_runs (agency_id) WHERE cutoff_date IS NULL;
CREATE INDEX agency_runs_job_id_idx ON public.agency_runs (job_id);

-- The coordinator asks for rows that are still open; there are few at any time.
CREATE INDEX idx_jobs_log_running ON public.jobs_log (started_at) WHERE status = 'running';

-- =====================================================
-- Alerts
-- =====================================================

CREATE TABLE public.alerts (
  id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind            text NOT NULL,
  severity        text NOT NULL,
  dedup_key       text NOT NULL,
  agency_id       uuid,
  job_id          uuid,
  message         text NOT NULL,
  details         jsonb NOT NULL DEFAULT '{}',
  raised_at       timestamptz NOT NULL,
  acknowledged_at timestamptz,
  acknowledged_by text,
  resolved_at     timestamptz,
  CONSTRAINT alerts_kind_check CHECK (kind IN ('agency_failed', 'cutoff_late', 'run_failed', 'run_stuck')),
  CONSTRAINT alerts_severity_check CHECK (severity IN ('info', 'warning', 'critical'))
);

COMMENT ON TABLE public.alerts IS
  'What people must know. One open row per problem; it is written by the transaction that finds it';
COMMENT ON COLUMN public.alerts.dedup_key IS 'Names the problem: at most one open alert has it';
COMMENT ON COLUMN public.alerts.resolved_at IS 'When the problem was found gone';

CREATE UNIQUE INDEX alerts_one_open_per_problem ON public.alerts (dedup_key) WHERE resolved_at IS NULL;

CREATE FUNCTION public.raise_alert(
  p_kind text, p_severity text, p_dedup_key text, p_agency_id uuid, p_job_id uuid,
  p_message text, p_details jsonb, p_now timestamptz)
RETURNS void
LANGUAGE sql
SET search_path = public, pg_temp
AS $$
  INSERT INTO alerts (kind, severity, dedup_key, agency_id, job_id, message, details, raised_at)
  VALUES (p_kind, p_severity, p_dedup_key, p_agency_id, p_job_id, p_message, p_details, p_now)
  ON CONFLICT (dedup_key) WHERE resolved_at IS NULL
  DO UPDATE SET severity = excluded.severity, agency_id = excluded.agency_id, job_id = excluded.job_id,
                message = excluded.message, details = excluded.details;
$$;

COMMENT ON FUNCTION public.raise_alert IS 'Opens an alert, or brings the open one for the same problem up to date';

-- =====================================================
-- Sweeps
-- =====================================================

CREATE TABLE public.sweeps (
  job_name       text PRIMARY KEY,
  swept_at       timestamptz NOT NULL,
  swept_by       text NOT NULL,
  agencies_found integer NOT NULL
);

COMMENT ON TABLE public.sweeps IS 'When a silo last swept; the watchdog acts only when that is long ago';

-- =====================================================
-- Changes that other applications make straight in SQL
-- =====================================================

-- SECURITY DEFINER, because whoever may change an agency need not know of its watermark.
CREATE FUNCTION public.note_agency_change()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO agency_cutoffs (agency_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
  ELSE
    -- The watermark stays. Only the instant of the next date is unknown now, and what failed deserves another try.
    UPDATE agency_cutoffs
    SET next_cutoff_date = NULL, next_cutoff_at = NULL, tzdb_version = NULL,
        settings_changed_at = clock_timestamp(), set_aside_until = NULL
    WHERE agency_id = NEW.id;
  END IF;
  -- Equal notifications of one transaction arrive as one.
  PERFORM pg_notify('agency_changed', '');
  RETURN NULL;
END;
$$;

COMMENT ON FUNCTION public.note_agency_change IS
  'Notes new and changed agencies in agency_cutoffs, and nudges the silos; the sweep finds what a lost nudge left';
REVOKE ALL ON FUNCTION public.note_agency_change() FROM PUBLIC, anon, authenticated;

CREATE TRIGGER trigger_note_agency_insert
AFTER INSERT ON public.agencies
FOR EACH ROW EXECUTE FUNCTION public.note_agency_change();

CREATE TRIGGER trigger_note_agency_update
AFTER UPDATE OF timezone, overdue_cutoff_time ON public.agencies
FOR EACH ROW
WHEN ((OLD.timezone, OLD.overdue_cutoff_time) IS DISTINCT FROM (NEW.timezone, NEW.overdue_cutoff_time))
EXECUTE FUNCTION public.note_agency_change();

-- =====================================================
-- Rights
-- =====================================================

-- Some databases (Supabase's) grant all that is new to anon and authenticated.
REVOKE ALL ON FUNCTION public.raise_alert(text, text, text, uuid, uuid, text, jsonb, timestamptz)
  FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION public.raise_alert(text, text, text, uuid, uuid, text, jsonb, timestamptz) TO service_role;

DO $$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['agency_cutoffs', 'agency_runs', 'alerts', 'sweeps'] LOOP
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, anon, authenticated', v_table);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO service_role', v_table);
    -- Where service_role has BYPASSRLS (Supabase) this policy changes nothing; elsewhere it sees nothing without it.
    EXECUTE format(
      'CREATE POLICY %I ON public.%I FOR ALL TO service_role USING (true) WITH CHECK (true)',
      'Service role can do everything on ' || v_table, v_table);
  END LOOP;
END;
$$;
