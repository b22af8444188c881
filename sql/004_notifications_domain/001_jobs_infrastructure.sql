-- =====================================================
-- Migration: Jobs Infrastructure for Status Automation
-- Epic: 5 - Intelligent Status Automation
-- Story: 5.1 - Automated Status Detection Job
-- =====================================================

-- This migration sets up the infrastructure for automated
-- background jobs, starting with the status update job that
-- marks overdue installments at each agency's own cutoff.

-- The original of this migration may have been applied before: then what it made is converted, and the down file
-- brings it back. What is there is noted first.

SELECT actors.remember('table', 'public.jobs_log'), actors.remember('row security', 'public.jobs_log'),
       actors.remember('rights on table', 'public.jobs_log'),
       actors.remember('column', 'public.jobs_log.job_name'), actors.remember('column', 'public.jobs_log.metadata'),
       actors.remember('index', 'public.idx_jobs_log_job_name'), actors.remember('index', 'public.idx_jobs_log_status'),
       actors.remember('trigger', 'public.jobs_log.trigger_notify_job_failure'),
       actors.remember('function', 'public.notify_job_failure()'),
       actors.remember('function', 'public.update_installment_statuses()'),
       actors.remember('rights on function', 'public.update_installment_statuses()');

SELECT actors.remember('policy', 'public.jobs_log.' || policy)
FROM unnest(ARRAY[
  'Admin users can view all job logs', 'Service role can view job logs', 'Service role can insert job logs',
  'Service role can update job logs', 'Service role can delete job logs'
]) AS policy;

SELECT actors.remember('column', 'public.agencies.' || name)
FROM unnest(ARRAY['timezone', 'overdue_cutoff_time', 'due_soon_threshold_days']) AS name;

SELECT actors.remember('constraint', 'public.agencies.' || name)
FROM unnest(ARRAY[
  'agencies_timezone_check', 'agencies_cutoff_time_check', 'agencies_due_soon_days_check'
]) AS name;

-- =====================================================
-- SECTION 1: Extensions
-- =====================================================

-- None. The original needs pg_cron and http here, and a superuser for both. Each agency is a grain with a persistent
-- reminder instead, which fires at the agency's own cutoff; HTTP is served by this program, not called from SQL.

-- =====================================================
-- SECTION 2: Jobs Log Table
-- =====================================================

-- Table to track all job executions
CREATE TABLE IF NOT EXISTS jobs_log (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  job_name TEXT NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  completed_at TIMESTAMPTZ,
  records_updated INT DEFAULT 0,
  status TEXT NOT NULL CHECK (status IN ('running', 'success', 'failed')),
  error_message TEXT,
  metadata JSONB,
  created_at TIMESTAMPTZ DEFAULT now()
);

SELECT actors.require_column('public.jobs_log', 'id', '{uuid}'),
       actors.require_column('public.jobs_log', 'job_name', '{text}'),
       actors.require_column('public.jobs_log', 'started_at', '{timestamp with time zone}'),
       actors.require_column('public.jobs_log', 'completed_at', '{timestamp with time zone}'),
       actors.require_column('public.jobs_log', 'records_updated', '{integer}'),
       actors.require_column('public.jobs_log', 'status', '{text,enum}', '{running,success,failed}'),
       actors.require_column('public.jobs_log', 'error_message', '{text}'),
       actors.require_column('public.jobs_log', 'metadata', '{jsonb}'),
       actors.require_column('public.jobs_log', 'created_at', '{timestamp with time zone}');

-- Add comments
COMMENT ON TABLE jobs_log IS 'Tracks execution of automated jobs (status updates, notifications, etc.)';
COMMENT ON COLUMN jobs_log.job_name IS 'Name of the job (e.g., update-installment-statuses)';
COMMENT ON COLUMN jobs_log.metadata IS 'Job-specific results, e.g., agency-level update counts';

-- Create indexes for efficient querying
CREATE INDEX IF NOT EXISTS idx_jobs_log_job_name ON jobs_log(job_name, started_at DESC);
CREATE INDEX IF NOT EXISTS idx_jobs_log_status ON jobs_log(status) WHERE status = 'failed';

-- Enable RLS
ALTER TABLE jobs_log ENABLE ROW LEVEL SECURITY;

-- RLS Policies: Admin-only access
DO $$
BEGIN
  IF actors.definition_of('policy', 'public.jobs_log.Admin users can view all job logs') IS NULL THEN
    -- auth.uid() stands in a sub-select so that it is asked once, not once for each row.
    CREATE POLICY "Admin users can view all job logs"
      ON jobs_log
      FOR SELECT
      TO authenticated
      USING (
        EXISTS (
          SELECT 1 FROM user_roles
          WHERE user_roles.user_id = (SELECT auth.uid())
            AND user_roles.role = 'admin'
        )
      );
  END IF;
  -- The original has no SELECT policy for service_role: unless that role bypasses row-level security, its UPDATE
  -- then finds no rows and its INSERT ... RETURNING fails.
  IF actors.definition_of('policy', 'public.jobs_log.Service role can view job logs') IS NULL THEN
    CREATE POLICY "Service role can view job logs"
      ON jobs_log
      FOR SELECT
      TO service_role
      USING (true);
  END IF;
  IF actors.definition_of('policy', 'public.jobs_log.Service role can insert job logs') IS NULL THEN
    CREATE POLICY "Service role can insert job logs"
      ON jobs_log
      FOR INSERT
      TO service_role
      WITH CHECK (true);
  END IF;
  IF actors.definition_of('policy', 'public.jobs_log.Service role can update job logs') IS NULL THEN
    CREATE POLICY "Service role can update job logs"
      ON jobs_log
      FOR UPDATE
      TO service_role
      USING (true)
      WITH CHECK (true);
  END IF;
  -- Job logs have a retention time, which the silo keeps.
  IF actors.definition_of('policy', 'public.jobs_log.Service role can delete job logs') IS NULL THEN
    CREATE POLICY "Service role can delete job logs"
      ON jobs_log
      FOR DELETE
      TO service_role
      USING (true);
  END IF;
END
$$;

-- A policy only narrows what a role was granted, and on a plain PostgreSQL these roles start with nothing.
GRANT SELECT, INSERT, UPDATE, DELETE ON jobs_log TO service_role;
GRANT SELECT ON jobs_log TO authenticated;

-- =====================================================
-- SECTION 3: Agency Configuration Fields
-- =====================================================

-- Add timezone and cutoff time fields to agencies table
ALTER TABLE agencies
ADD COLUMN IF NOT EXISTS timezone TEXT NOT NULL DEFAULT 'Australia/Brisbane',
ADD COLUMN IF NOT EXISTS overdue_cutoff_time TIME NOT NULL DEFAULT '17:00:00',
ADD COLUMN IF NOT EXISTS due_soon_threshold_days INT NOT NULL DEFAULT 4;

-- IF NOT EXISTS keeps columns of the same name as they are, whatever they are.
SELECT actors.require_column('public.agencies', 'timezone', '{text,character varying}'),
       actors.require_column('public.agencies', 'overdue_cutoff_time', '{time without time zone}'),
       actors.require_column('public.agencies', 'due_soon_threshold_days', '{integer}');

-- Rows that were there before are never changed here: which cutoff an agency has is its own to say.
DO $$
DECLARE
  breach RECORD;
BEGIN
  SELECT count(*) AS rows, string_agg(line, E'\n' ORDER BY nr) FILTER (WHERE nr <= 20) AS list
  INTO breach
  FROM (
    SELECT row_number() OVER (ORDER BY id) AS nr,
           format('agency %s: timezone %s, overdue_cutoff_time %s, due_soon_threshold_days %s', id,
             coalesce(timezone, 'NULL'), coalesce(overdue_cutoff_time::text, 'NULL'),
             coalesce(due_soon_threshold_days::text, 'NULL')) AS line
    FROM agencies
    WHERE timezone IS NULL OR overdue_cutoff_time IS NULL OR due_soon_threshold_days IS NULL
      OR NOT overdue_cutoff_time BETWEEN '00:00:00' AND '23:59:59'
      OR NOT due_soon_threshold_days BETWEEN 1 AND 30
  ) AS found;
  IF breach.rows > 0 THEN
    RAISE EXCEPTION '% agencies have settings out of range (timezone set, cutoff 00:00:00 to 23:59:59, days 1 to 30):%',
        breach.rows, E'\n' || breach.list
      USING ERRCODE = 'check_violation', HINT = 'Correct these rows, then run the same command again.';
  END IF;
END
$$;

ALTER TABLE agencies
ALTER COLUMN timezone SET DEFAULT 'Australia/Brisbane',
ALTER COLUMN timezone SET NOT NULL,
ALTER COLUMN overdue_cutoff_time SET DEFAULT '17:00:00',
ALTER COLUMN overdue_cutoff_time SET NOT NULL,
ALTER COLUMN due_soon_threshold_days SET DEFAULT 4,
ALTER COLUMN due_soon_threshold_days SET NOT NULL;

-- Add constraints

-- The original lists 14 zones in a CHECK, and so refuses a database that has agencies elsewhere. The 14 are rows of a
-- reference table here; an administrator adds a row to support another zone.
SELECT actors.require_free('public.supported_timezones');

CREATE TABLE supported_timezones (
  name TEXT PRIMARY KEY,
  added_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
COMMENT ON TABLE supported_timezones IS 'IANA zones that agencies may use; add a row to support another';

INSERT INTO supported_timezones (name) VALUES
  ('Australia/Brisbane'), ('Australia/Sydney'), ('Australia/Melbourne'),
  ('Australia/Perth'), ('Australia/Adelaide'), ('America/Los_Angeles'),
  ('America/New_York'), ('America/Chicago'), ('Europe/London'),
  ('Europe/Paris'), ('Asia/Tokyo'), ('Asia/Singapore'),
  ('Pacific/Auckland'), ('UTC');

-- Zones in use are added. Those that PostgreSQL does not know too, since a foreign key cannot leave rows out, but they
-- are named: their agencies are not served before somebody corrects them.
DO $$
DECLARE
  zone RECORD;
BEGIN
  FOR zone IN
    WITH added AS (
      INSERT INTO supported_timezones (name)
      SELECT DISTINCT a.timezone FROM agencies AS a
      ON CONFLICT DO NOTHING
      RETURNING name
    )
    SELECT added.name, (SELECT count(*) FROM agencies AS a WHERE a.timezone = added.name) AS agencies
    FROM added
    WHERE NOT EXISTS (SELECT FROM pg_timezone_names AS known WHERE known.name = added.name)
    ORDER BY added.name
  LOOP
    RAISE WARNING 'PostgreSQL does not know the time zone "%", which % agencies use: correct agencies.timezone',
      zone.name, zone.agencies;
  END LOOP;
END
$$;

ALTER TABLE supported_timezones ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Everybody can view supported timezones"
  ON supported_timezones
  FOR SELECT
  TO authenticated, service_role
  USING (true);
CREATE POLICY "Service role can manage supported timezones"
  ON supported_timezones
  FOR ALL
  TO service_role
  USING (true)
  WITH CHECK (true);
REVOKE ALL ON supported_timezones FROM PUBLIC, anon, authenticated;
GRANT SELECT ON supported_timezones TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON supported_timezones TO service_role;

-- Constraints of these names may be there, the original's CHECK among them.
ALTER TABLE agencies
DROP CONSTRAINT IF EXISTS agencies_timezone_check,
DROP CONSTRAINT IF EXISTS agencies_cutoff_time_check,
DROP CONSTRAINT IF EXISTS agencies_due_soon_days_check;

ALTER TABLE agencies
ADD CONSTRAINT agencies_timezone_check
FOREIGN KEY (timezone) REFERENCES supported_timezones (name);

ALTER TABLE agencies
ADD CONSTRAINT agencies_cutoff_time_check
CHECK (overdue_cutoff_time BETWEEN '00:00:00' AND '23:59:59');

ALTER TABLE agencies
ADD CONSTRAINT agencies_due_soon_days_check
CHECK (due_soon_threshold_days BETWEEN 1 AND 30);

-- Add comments
COMMENT ON COLUMN agencies.timezone IS 'IANA timezone name for agency location';
COMMENT ON COLUMN agencies.overdue_cutoff_time IS
  'Time of day when pending installments become overdue (default 5:00 PM)';
COMMENT ON COLUMN agencies.due_soon_threshold_days IS 'Days before due date to flag as "due soon"';

-- =====================================================
-- SECTION 4: Status Update Function
-- =====================================================

-- The signature is the original's. Its rule is not: the original compares the due date with the session's date, marks
-- nothing at the cutoff itself, and lets one bad zone abort every agency. What a run is stands in serve_cutoffs_in_sql
-- (a later migration of this domain), beside the tables that it writes.
CREATE OR REPLACE FUNCTION update_installment_statuses()
RETURNS TABLE(
  agency_id UUID,
  updated_count INT,
  transitions JSONB
)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
-- Seeing nothing because of a policy would look like nothing to do: this raises instead.
SET row_security = off
AS $$
BEGIN
  IF to_regprocedure('public.serve_cutoffs_in_sql(timestamptz, boolean)') IS NULL THEN
    RAISE EXCEPTION 'the schema is incomplete: serve_cutoffs_in_sql is missing'
      USING ERRCODE = 'undefined_function', HINT = 'Run ./actors migrate up.';
  END IF;
  RETURN QUERY
    SELECT s.agency_id, s.updated_count, jsonb_build_object('pending_to_overdue', s.updated_count)
    FROM public.serve_cutoffs_in_sql(clock_timestamp(), true) AS s;
END;
$$;

COMMENT ON FUNCTION update_installment_statuses() IS
  'Updates installment statuses to overdue based on due dates and agency timezones';

-- It runs with its owner's rights, so not everybody may call it; some platforms grant to anon by default.
REVOKE EXECUTE ON FUNCTION update_installment_statuses() FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION update_installment_statuses() TO service_role;

-- =====================================================
-- SECTION 5: Alert Trigger
-- =====================================================

-- Function to send notification on job failure
CREATE OR REPLACE FUNCTION notify_job_failure()
RETURNS TRIGGER
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  payload TEXT;
  cut TEXT;
  fits INT := 0;
  exceeds INT := 8000;
  middle INT;
BEGIN
  -- The original notifies on every update of a row that is failed already: a failure is told once, when it happens.
  IF NEW.status = 'failed' AND NEW.job_name = 'update-installment-statuses'
    AND (TG_OP = 'INSERT' OR OLD.status IS DISTINCT FROM NEW.status)
  THEN
    payload := json_build_object(
      'job_name', NEW.job_name, 'started_at', NEW.started_at, 'error_message', NEW.error_message)::text;
    -- NOTIFY carries less than 8,000 bytes, and raises above that, which would undo the update. JSON writes a quote as
    -- two bytes and a control character as six, so what fits is found by halving: at most 13 times.
    IF octet_length(payload) >= 8000 THEN
      WHILE exceeds - fits > 1 LOOP
        middle := (fits + exceeds) / 2;
        cut := json_build_object('job_name', NEW.job_name, 'started_at', NEW.started_at,
          'error_message', left(NEW.error_message, middle) || '...')::text;
        IF octet_length(cut) < 8000 THEN
          fits := middle;
        ELSE
          exceeds := middle;
        END IF;
      END LOOP;
      payload := json_build_object('job_name', NEW.job_name, 'started_at', NEW.started_at,
        'error_message', left(NEW.error_message, fits) || '...')::text;
    END IF;
    -- Send notification via pg_notify
    PERFORM pg_notify('job_failure', payload);
  END IF;
  RETURN NEW;
END;
$$;

-- Create trigger
CREATE OR REPLACE TRIGGER trigger_notify_job_failure
AFTER INSERT OR UPDATE ON jobs_log
FOR EACH ROW
EXECUTE FUNCTION notify_job_failure();

-- =====================================================
-- SECTION 6: API Key Configuration
-- =====================================================

-- Nothing here: the original stores the key in the clear in a setting of the database, which only its owner may set
-- and every login may read. Keys are rows of api_keys (domain 002), as hashes.

-- =====================================================
-- SECTION 7: pg_cron Schedule
-- =====================================================

-- Nothing here: reminders fire at each agency's cutoff. Where pg_cron is installed, a later migration of this domain
-- schedules a watchdog. A schedule of the original is somebody's decision and stays, but is named.
DO $$
DECLARE
  scheduled BIGINT := 0;
BEGIN
  IF to_regclass('cron.job') IS NOT NULL THEN
    EXECUTE $query$SELECT count(*) FROM cron.job WHERE jobname = 'update-installment-statuses-daily'$query$
    INTO scheduled;
  END IF;
  IF scheduled > 0 THEN
    RAISE WARNING 'the cron job "update-installment-statuses-daily" is still scheduled and no longer needed; %',
      'to remove it: SELECT cron.unschedule(''update-installment-statuses-daily'');';
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'this login may not read cron.job; %',
    'look there for "update-installment-statuses-daily", which is no longer needed';
END
$$;

-- =====================================================
-- END OF MIGRATION
-- =====================================================
