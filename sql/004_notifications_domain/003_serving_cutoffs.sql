-- The functions that close runs, and that serve cutoffs when no silo does.

-- =====================================================
-- Closing a run
-- =====================================================

-- Whoever is still to be served at the run's instant, unless it has failed in this very run and was set aside.
CREATE FUNCTION public.agencies_left_in_run(p_job public.jobs_log)
RETURNS TABLE (agency_id uuid)
LANGUAGE sql
STABLE
AS $$
  SELECT c.agency_id
  FROM public.agency_cutoffs c
  WHERE c.next_cutoff_at = (p_job.metadata ->> 'cutoff_at')::timestamptz
    AND c.paused_at IS NULL
    AND NOT EXISTS (
      SELECT FROM public.agency_runs r
      WHERE r.job_id = p_job.id AND r.agency_id = c.agency_id AND r.status = 'failed')
$$;

-- Answers 'success' or 'failed' when it closed the run, and null when the run is still going on, is being written to at
-- this moment, or was closed before. A run is never reopened: the marker shares a lock on the rows it writes under,
-- and turns to a row of its own when it finds one closed.
CREATE FUNCTION public.close_run(
  p_job_id uuid,
  p_now timestamptz,
  p_limit interval DEFAULT '10 minutes',
  p_unrecorded jsonb DEFAULT '[]')
RETURNS text
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
DECLARE
  v_job jobs_log%ROWTYPE;
  v_left uuid[];
  v_run record;
  v_failures record;
  v_error text;
  -- The column may be an enum, into which SQL assigns no text; PL/pgSQL does.
  v_status jobs_log.status%TYPE;
  v_agencies jsonb;
  v_marked integer;
  v_late record;
  c_late_after CONSTANT interval := '10 seconds';
  c_agencies_listed CONSTANT integer := 1000;
BEGIN
  SELECT * INTO v_job FROM jobs_log WHERE id = p_job_id AND status = 'running' FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;

  IF v_job.metadata ->> 'trigger' IS NULL THEN
    -- The original's, or somebody's own: what it did is not in the ledger, so that it is not known to have succeeded.
    IF p_now < v_job.started_at + p_limit THEN
      RETURN NULL;
    END IF;
    UPDATE jobs_log
    SET status = 'failed', completed_at = p_now,
        error_message = coalesce(error_message, 'whoever started this run did not close it; what it did is not known')
    WHERE id = p_job_id;
    RETURN 'failed';
  END IF;

  -- Asked after every batch of a burst, so the answer for most of them must be cheap.
  IF p_now < v_job.started_at + p_limit AND EXISTS (SELECT FROM agencies_left_in_run(v_job)) THEN
    RETURN NULL;
  END IF;
  SELECT coalesce(array_agg(l.agency_id ORDER BY l.agency_id), '{}') INTO v_left FROM agencies_left_in_run(v_job) AS l;

  SELECT coalesce(sum(k.records_updated), 0)::integer AS records_updated,
         count(DISTINCT k.agency_id)::integer AS agencies
  INTO v_run
  FROM (
    SELECT r.agency_id, r.records_updated FROM agency_runs r WHERE r.job_id = p_job_id
    UNION ALL
    SELECT u.agency_id, 0 FROM jsonb_to_recordset(p_unrecorded) AS u (agency_id uuid)
  ) AS k;

  SELECT count(*)::integer AS agencies,
         string_agg(f.sentence, '; ' ORDER BY f.agency_id) FILTER (WHERE f.position <= 3) AS sentences,
         jsonb_agg(jsonb_build_object('agency_id', f.agency_id, 'error', f.error) ORDER BY f.agency_id)
           FILTER (WHERE f.position <= 100) AS listed
  INTO v_failures
  FROM (
    SELECT agency_id, error, format('%s: %s', agency_id, error) AS sentence,
           row_number() OVER (ORDER BY agency_id) AS position
    FROM (
      SELECT r.agency_id, r.error_message AS error
      FROM agency_runs r
      WHERE r.job_id = p_job_id AND r.status = 'failed'
      UNION ALL
      SELECT u.agency_id, u.error
      FROM jsonb_to_recordset(p_unrecorded) AS u (agency_id uuid, error text)
      WHERE NOT EXISTS (
        SELECT FROM agency_runs r
        WHERE r.job_id = p_job_id AND r.agency_id = u.agency_id AND r.status = 'failed')
    ) AS known
  ) AS f;

  SELECT jsonb_agg(
           jsonb_build_object(
             'agency_id', m.agency_id,
             'updated_count', m.updated_count,
             'transitions', jsonb_build_object('pending_to_overdue', m.updated_count))
           ORDER BY m.agency_id) FILTER (WHERE m.position <= c_agencies_listed),
         count(*)
  INTO v_agencies, v_marked
  FROM (
    SELECT r.agency_id, sum(r.records_updated)::integer AS updated_count,
           row_number() OVER (ORDER BY r.agency_id) AS position
    FROM agency_runs r
    WHERE r.job_id = p_job_id AND r.records_updated > 0
    GROUP BY r.agency_id
  ) AS m;

  v_run.agencies := v_run.agencies + cardinality(v_left);
  IF v_failures.agencies > 0 THEN
    v_error := format('%s of %s agencies failed: %s%s',
      to_char(v_failures.agencies, 'FM999,999,999'),
      to_char(v_run.agencies, 'FM999,999,999'),
      v_failures.sentences,
      CASE WHEN v_failures.agencies > 3 THEN '; …' ELSE '' END);
  END IF;
  IF cardinality(v_left) > 0 THEN
    v_error := concat_ws('; ', v_error, format('%s of %s agencies were not served within %s: %s%s',
      to_char(cardinality(v_left), 'FM999,999,999'),
      to_char(v_run.agencies, 'FM999,999,999'),
      round(extract(epoch FROM p_limit) / 60) || ' minutes',
      array_to_string(v_left[1:10], ', '),
      CASE WHEN cardinality(v_left) > 10 THEN ', …' ELSE '' END));
  END IF;

  -- Whoever sent a run of all out takes this number away when all are reached; who closes it otherwise must look.
  IF (v_job.metadata ->> 'agencies_asked')::integer > v_run.agencies THEN
    v_error := concat_ws('; ', v_error, format('the run ended after %s of %s agencies: its silo stopped',
      to_char(v_run.agencies, 'FM999,999,999,990'),
      to_char((v_job.metadata ->> 'agencies_asked')::integer, 'FM999,999,999')));
  END IF;

  v_status := CASE WHEN v_error IS NULL THEN 'success' ELSE 'failed' END;
  UPDATE jobs_log
  SET status = v_status,
      completed_at = p_now,
      records_updated = v_run.records_updated,
      error_message = v_error,
      metadata = coalesce(metadata, '{}') || jsonb_strip_nulls(jsonb_build_object(
        'agencies', coalesce(v_agencies, '[]'),
        'agencies_total', v_run.agencies,
        'agencies_marked', v_marked,
        'agencies_failed', v_failures.agencies,
        'agencies_left', nullif(cardinality(v_left), 0),
        'agencies_truncated', CASE WHEN v_marked > c_agencies_listed THEN true END,
        'failures', v_failures.listed))
  WHERE id = p_job_id;

  IF v_failures.agencies > 0 THEN
    -- One problem for each cutoff; what is tried again and again outside of cutoffs is one problem too.
    PERFORM raise_alert('run_failed', 'critical',
      format('run_failed:%s:%s', v_job.job_name, coalesce(v_job.metadata ->> 'cutoff_at', 'catch_up')),
      NULL, p_job_id, v_error, jsonb_build_object('failures', v_failures.listed), p_now);
  END IF;
  IF cardinality(v_left) > 0 THEN
    PERFORM raise_alert('run_stuck', 'critical', 'run_stuck:' || p_job_id, NULL, p_job_id, v_error,
      jsonb_build_object('cutoff_at', v_job.metadata ->> 'cutoff_at', 'agencies_left', to_jsonb(v_left[1:100])),
      p_now);
  END IF;

  SELECT count(DISTINCT r.agency_id)::integer AS agencies, min(r.cutoff_at) AS first_cutoff_at,
         date_trunc('second', max(r.late_by)) AS late_by, min(r.agency_id::text)::uuid AS agency_id
  INTO v_late
  FROM agency_runs r
  WHERE r.job_id = p_job_id AND r.late_by > c_late_after;
  IF v_late.agencies > 0 THEN
    PERFORM raise_alert('cutoff_late', 'warning', 'cutoff_late:' || v_job.job_name,
      CASE WHEN v_late.agencies = 1 THEN v_late.agency_id END, p_job_id,
      format('%s %s served late, by up to %s; the earliest of these cutoffs was at %s UTC',
        to_char(v_late.agencies, 'FM999,999,999'),
        CASE WHEN v_late.agencies = 1 THEN 'agency was' ELSE 'agencies were' END,
        v_late.late_by, to_char(v_late.first_cutoff_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')),
      jsonb_build_object('agencies', v_late.agencies, 'first_cutoff_at', v_late.first_cutoff_at,
        'late_by_seconds', extract(epoch FROM v_late.late_by)), p_now);
  END IF;

  RETURN v_status;
END;
$$;

COMMENT ON FUNCTION public.close_run IS
  'Closes a run with the truth of the ledger when no agency of it is left, or when it has lasted for its limit';

-- =====================================================
-- The rule of when, for the time when no silo runs
-- =====================================================

-- AT TIME ZONE shifts a skipped local time forward and takes the later of two, which is the rule. This function adds
-- the word for what happened.
CREATE FUNCTION public.cutoff_in_sql(
  p_date date, p_time time, p_timezone text, OUT cutoff_at timestamptz, OUT resolution text)
LANGUAGE plpgsql
STABLE
SET search_path = public, pg_temp
AS $$
DECLARE
  v_local CONSTANT timestamp := p_date + p_time;
  v_offset_before interval;
  v_earlier timestamptz;
BEGIN
  cutoff_at := v_local AT TIME ZONE p_timezone;
  IF cutoff_at AT TIME ZONE p_timezone <> v_local THEN
    -- A date is absent when even its last moment falls on another date.
    resolution := CASE
      WHEN ((p_date + time '23:59:59.999999') AT TIME ZONE p_timezone AT TIME ZONE p_timezone)::date <> p_date
        AND (p_date::timestamp AT TIME ZONE p_timezone AT TIME ZONE p_timezone)::date <> p_date
      THEN 'date_absent' ELSE 'shifted' END;
    RETURN;
  END IF;
  v_offset_before := ((cutoff_at - interval '26 hours') AT TIME ZONE p_timezone)
    - ((cutoff_at - interval '26 hours') AT TIME ZONE 'UTC');
  v_earlier := (v_local - v_offset_before) AT TIME ZONE 'UTC';
  resolution := CASE
    WHEN v_earlier < cutoff_at AND v_earlier AT TIME ZONE p_timezone = v_local THEN 'later_of_two' ELSE 'once' END;
END;
$$;

COMMENT ON FUNCTION public.cutoff_in_sql IS
  'The cutoff of a local date by PostgreSQL''s own time zones; only for dates that no silo has stored a cutoff for';

-- =====================================================
-- Serving cutoffs in SQL
-- =====================================================

-- Brings one agency up to date. Returns null when nothing was unserved and nobody asked. Obeys what is stored: a date
-- whose stored instant is in the future is not served, and AT TIME ZONE speaks only where nothing is stored.
CREATE FUNCTION public.serve_agency_in_sql(
  p_agency_id uuid, p_job_id uuid, p_now timestamptz, p_asked boolean)
RETURNS integer
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
DECLARE
  v_cutoffs agency_cutoffs%ROWTYPE;
  v_timezone text;
  v_time time;
  v_first date;
  v_today date;
  v_last date;
  v_asked_through date;
  v_count integer;
  v_rows integer;
  c_tzdb CONSTANT text := 'postgresql ' || current_setting('server_version');
BEGIN
  -- Lock first, read the settings in a second statement: one locking join was seen to return the new row of one table
  -- beside the old row of the other.
  SELECT * INTO v_cutoffs FROM agency_cutoffs WHERE agency_id = p_agency_id FOR NO KEY UPDATE;
  IF NOT FOUND OR v_cutoffs.paused_at IS NOT NULL THEN
    RETURN NULL;
  END IF;
  SELECT timezone, overdue_cutoff_time INTO STRICT v_timezone, v_time FROM agencies WHERE id = p_agency_id;

  v_today := (p_now AT TIME ZONE v_timezone)::date;
  SELECT max(d.date) INTO v_last
  FROM (SELECT v_today + o AS date FROM generate_series(-2, 1) AS o) AS d
  WHERE (SELECT cutoff_at FROM cutoff_in_sql(d.date, v_time, v_timezone)) <= p_now;

  -- Under unchanged settings the stored instants alone say which date passed last. A move to the west can leave the
  -- watermark ahead of the dates that have passed there.
  v_asked_through := CASE
    WHEN v_cutoffs.next_cutoff_at > p_now AND v_cutoffs.last_cutoff_at <= p_now
      AND v_cutoffs.settings_changed_at < v_cutoffs.last_cutoff_at
    THEN v_cutoffs.last_cutoff_date
    ELSE least(v_last, v_cutoffs.last_cutoff_date) END;
  v_first := coalesce(v_cutoffs.last_cutoff_date + 1, v_last);
  IF v_cutoffs.next_cutoff_at > p_now THEN
    v_last := v_cutoffs.last_cutoff_date;
  ELSE
    -- What is stored has passed, whatever PostgreSQL's own zones say of it.
    v_last := greatest(v_last, v_cutoffs.next_cutoff_date);
  END IF;

  IF v_cutoffs.failed_attempts > 0 THEN
    -- It has come this far, so it is well again, also where no date is unserved.
    UPDATE agency_cutoffs SET set_aside_until = NULL, failed_attempts = 0, last_error = NULL
    WHERE agency_id = p_agency_id;
    UPDATE alerts SET resolved_at = p_now
    WHERE dedup_key = 'agency_failed:' || p_agency_id AND resolved_at IS NULL;
    -- A failure before any date was known owns the first date's row, now that there is one.
    UPDATE agency_runs SET cutoff_date = v_first, serves_cutoff = true
    WHERE agency_id = p_agency_id AND cutoff_date IS NULL;
  END IF;

  IF v_first > v_last THEN
    IF NOT p_asked THEN
      RETURN NULL;
    END IF;
    v_last := v_asked_through;
    v_first := v_last;
  END IF;

  WITH dates AS (
    -- Where an instant is stored, so is the release that decided on it. Only the word for how is PostgreSQL's.
    SELECT d::date AS cutoff_date,
           CASE WHEN d::date = v_cutoffs.next_cutoff_date THEN v_cutoffs.next_cutoff_at
                WHEN d::date = v_cutoffs.last_cutoff_date THEN v_cutoffs.last_cutoff_at
                ELSE c.cutoff_at END AS cutoff_at,
           v_cutoffs.last_cutoff_date IS NULL OR d::date > v_cutoffs.last_cutoff_date AS serves_cutoff,
           c.resolution,
           coalesce(
             CASE WHEN d::date = v_cutoffs.next_cutoff_date THEN v_cutoffs.tzdb_version
                  WHEN d::date = v_cutoffs.last_cutoff_date THEN (
                    SELECT r.tzdb_version FROM agency_runs r
                    WHERE r.agency_id = p_agency_id AND r.cutoff_date = d::date AND r.serves_cutoff) END,
             c_tzdb) AS tzdb_version
    FROM generate_series(v_first::timestamp, v_last::timestamp, interval '1 day') AS d,
         cutoff_in_sql(d::date, v_time, v_timezone) AS c
  ), marked AS (
    UPDATE installments i
    SET status = 'overdue'
    FROM payment_plans p
    WHERE p.id = i.payment_plan_id
      AND p.agency_id = p_agency_id
      AND p.status = 'active'
      AND i.status = 'pending'
      AND i.student_due_date <= v_last
    RETURNING i.id, greatest(i.student_due_date, v_first) AS cutoff_date
  ), ledger AS (
    INSERT INTO agency_runs (
      job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at, completed_at, late_by, status,
      records_updated, installment_ids, timezone, overdue_cutoff_time, resolution, tzdb_version)
    SELECT p_job_id, p_agency_id, d.cutoff_date, d.cutoff_at, d.serves_cutoff, 'watchdog', p_now, p_now,
           CASE WHEN d.serves_cutoff AND v_cutoffs.last_cutoff_date IS NOT NULL THEN
             greatest(p_now - greatest(d.cutoff_at, v_cutoffs.settings_changed_at), interval '0') END,
           'success', cardinality(m.ids), m.ids, v_timezone, v_time, d.resolution, d.tzdb_version
    FROM dates d,
         LATERAL (SELECT coalesce(array_agg(id), '{}') AS ids FROM marked WHERE cutoff_date = d.cutoff_date) AS m
    ON CONFLICT (agency_id, cutoff_date) WHERE serves_cutoff DO UPDATE
    SET job_id = excluded.job_id, cutoff_at = excluded.cutoff_at, trigger = excluded.trigger,
        requested_by = NULL, reason = NULL, started_at = excluded.started_at, completed_at = excluded.completed_at,
        late_by = excluded.late_by, status = excluded.status, records_updated = excluded.records_updated,
        installment_ids = excluded.installment_ids, timezone = excluded.timezone,
        overdue_cutoff_time = excluded.overdue_cutoff_time, resolution = excluded.resolution,
        tzdb_version = excluded.tzdb_version, error_message = NULL
    WHERE agency_runs.status = 'failed'
    RETURNING cutoff_date, cutoff_at, serves_cutoff, records_updated
  ), advanced AS (
    UPDATE agency_cutoffs c
    SET last_cutoff_date = l.cutoff_date, last_cutoff_at = l.cutoff_at,
        next_cutoff_date = NULL, next_cutoff_at = NULL, tzdb_version = NULL, set_aside_until = NULL
    FROM ledger l
    WHERE c.agency_id = p_agency_id AND l.serves_cutoff AND l.cutoff_date = v_last
  )
  SELECT sum(records_updated)::integer, count(*)::integer INTO STRICT v_count, v_rows FROM ledger;

  -- A date whose row is there already, though the watermark says unserved, must not be marked unrecorded.
  IF v_rows <> v_last - v_first + 1 THEN
    RAISE EXCEPTION 'the ledger says that dates from % on were served, but the watermark stands at %',
      v_first, v_cutoffs.last_cutoff_date;
  END IF;
  RETURN v_count;
END;
$$;

-- Serves every agency, each in a subtransaction of its own: one that fails is rolled back, recorded and alerted alone.
CREATE FUNCTION public.serve_cutoffs_in_sql(p_now timestamptz, p_asked boolean)
RETURNS TABLE (agency_id uuid, updated_count integer)
LANGUAGE plpgsql
SET search_path = public, pg_temp
SET lock_timeout = '5s'
AS $$
#variable_conflict use_column
DECLARE
  v_job_id CONSTANT uuid := gen_random_uuid();
  v_error text;
  v_context text;
BEGIN
  INSERT INTO jobs_log (id, job_name, started_at, status, metadata)
  VALUES (v_job_id, 'update-installment-statuses', p_now, 'running', '{"trigger": "watchdog"}');

  FOR agency_id IN
    SELECT c.agency_id
    FROM agency_cutoffs c
    WHERE c.paused_at IS NULL
      AND (p_asked OR ((c.next_cutoff_at IS NULL OR c.next_cutoff_at <= p_now)
                       AND (c.set_aside_until IS NULL OR c.set_aside_until <= p_now)))
    ORDER BY c.agency_id
  LOOP
    BEGIN
      updated_count := serve_agency_in_sql(agency_id, v_job_id, p_now, p_asked);
      IF updated_count IS NOT NULL THEN
        RETURN NEXT;
      END IF;
    -- OTHERS leaves out two errors, which a trigger of the application may raise as well.
    EXCEPTION WHEN OTHERS OR assert_failure OR query_canceled THEN
      GET STACKED DIAGNOSTICS v_error = MESSAGE_TEXT, v_context = PG_EXCEPTION_CONTEXT;
      -- Where somebody, or a statement_timeout, has really cancelled the statement, all of it ends.
      IF SQLSTATE = '57014' AND split_part(v_context, E'\n', 1) NOT LIKE '% RAISE' THEN
        RAISE;
      END IF;
      PERFORM note_agency_failure(agency_id, v_job_id, p_now, 'watchdog', NULL, NULL, v_error,
        'postgresql ' || current_setting('server_version'), interval '30 seconds');
    END;
  END LOOP;

  IF p_asked OR EXISTS (SELECT FROM agency_runs r WHERE r.job_id = v_job_id) THEN
    PERFORM close_run(v_job_id, p_now);
  ELSE
    DELETE FROM jobs_log WHERE id = v_job_id;
  END IF;
END;
$$;

COMMENT ON FUNCTION public.serve_cutoffs_in_sql IS
  'Serves what is unserved at p_now; where it was asked for, also marks what became due since. Writes the ledger';

-- =====================================================
-- An agency that failed
-- =====================================================

-- Takes the row of the date that failed (a retry updates it in place), sets the agency aside for a pause that doubles
-- with every failure in a row up to 32 times the first, and raises an alert. The watermark stays behind.
CREATE FUNCTION public.note_agency_failure(
  p_agency_id uuid, p_job_id uuid, p_now timestamptz, p_trigger text, p_requested_by text, p_reason text,
  p_error text, p_tzdb_version text, p_first_pause interval)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
DECLARE
  v_cutoffs agency_cutoffs%ROWTYPE;
  v_agency record;
  v_serves boolean;
  v_date date;
  v_error CONSTANT text := left(coalesce(nullif(p_error, ''), 'unknown error'), 2000);
BEGIN
  SELECT * INTO v_cutoffs FROM agency_cutoffs WHERE agency_id = p_agency_id FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    -- Deleted, or somebody else is at work on it and will say what became of it.
    RETURN false;
  END IF;
  SELECT timezone, overdue_cutoff_time, name INTO STRICT v_agency FROM agencies WHERE id = p_agency_id;
  v_serves := v_cutoffs.last_cutoff_date IS NOT NULL
    AND (v_cutoffs.next_cutoff_at IS NULL OR v_cutoffs.next_cutoff_at <= p_now)
    -- Where the ledger is ahead of the watermark, the date has its row, and that may be what failed.
    AND NOT EXISTS (
      SELECT FROM agency_runs
      WHERE agency_id = p_agency_id AND cutoff_date = v_cutoffs.last_cutoff_date + 1
        AND serves_cutoff AND status <> 'failed');
  v_date := CASE WHEN v_serves THEN v_cutoffs.last_cutoff_date + 1 ELSE v_cutoffs.last_cutoff_date END;

  -- An earlier failure of the same date, or of an agency that has no date yet, gives way to this one.
  DELETE FROM agency_runs
  WHERE agency_id = p_agency_id AND status = 'failed'
    AND (cutoff_date IS NULL OR (v_serves AND serves_cutoff AND cutoff_date = v_date));
  INSERT INTO agency_runs (
    job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, requested_by, reason, started_at, completed_at,
    status, timezone, overdue_cutoff_time, tzdb_version, error_message)
  VALUES (
    p_job_id, p_agency_id, v_date, CASE WHEN v_serves THEN v_cutoffs.next_cutoff_at ELSE v_cutoffs.last_cutoff_at END,
    v_serves, p_trigger, p_requested_by, p_reason, p_now, p_now,
    'failed', v_agency.timezone, v_agency.overdue_cutoff_time, p_tzdb_version, v_error);

  UPDATE agency_cutoffs
  SET failed_attempts = failed_attempts + 1,
      last_error = v_error,
      set_aside_until = p_now + p_first_pause * power(2, least(failed_attempts, 5))
  WHERE agency_id = p_agency_id;
  PERFORM raise_alert('agency_failed', 'critical', 'agency_failed:' || p_agency_id, p_agency_id, p_job_id,
    format('Agency %s (%s) could not be brought up to date: %s', coalesce(v_agency.name, '?'), p_agency_id, v_error),
    jsonb_build_object('cutoff_date', v_date, 'failed_attempts', v_cutoffs.failed_attempts + 1), p_now);
  RETURN true;
END;
$$;

COMMENT ON FUNCTION public.note_agency_failure IS
  'Records that an agency could not be brought up to date, sets it aside for a growing pause, and raises an alert';

-- =====================================================
-- Rights
-- =====================================================

REVOKE ALL ON FUNCTION
  public.agencies_left_in_run(public.jobs_log),
  public.close_run(uuid, timestamptz, interval, jsonb),
  public.cutoff_in_sql(date, time, text),
  public.serve_agency_in_sql(uuid, uuid, timestamptz, boolean),
  public.serve_cutoffs_in_sql(timestamptz, boolean),
  public.note_agency_failure(uuid, uuid, timestamptz, text, text, text, text, text, interval)
FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION
  public.agencies_left_in_run(public.jobs_log),
  public.close_run(uuid, timestamptz, interval, jsonb),
  public.note_agency_failure(uuid, uuid, timestamptz, text, text, text, text, text, interval)
TO service_role;
