-- What happened, for whoever follows it live: runs, agencies that are late or failed, alerts, changes of agencies.
-- Written by triggers, whoever makes the change, and read by the API as its caller.

SELECT actors.require_free('public.events');

CREATE TABLE public.events (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  position  bigint,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind      text NOT NULL,
  agency_id uuid,
  job_id    uuid,
  alert_id  uuid,
  details   jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT events_one_at_each_position UNIQUE (position),
  CONSTRAINT events_kind_check CHECK (kind IN (
    'run_started', 'run_finished', 'agency_failed', 'agencies_late', 'alert_raised', 'alert_acknowledged',
    'alert_resolved', 'agency_changed', 'agencies_changed'))
);

COMMENT ON TABLE public.events IS 'What happened, in the order of position; kept for some days';
COMMENT ON COLUMN public.events.position IS
  'The order in which events came to be seen, without gaps; null until number_events() has seen the row';
COMMENT ON COLUMN public.events.details IS 'As the API sends it, hence in camelCase';

CREATE INDEX events_without_a_position_idx ON public.events (id) WHERE position IS NULL;

-- =====================================================
-- The order
-- =====================================================

-- Ids are handed out before their transactions commit, so a reader that goes on after an id would miss what an older
-- transaction commits later. Transaction ids have the same fault, and waiting for the oldest running one would let any
-- transaction of any database of the server hold up all events. So a row gets its position when it can be seen: one
-- transaction at a time, so that whoever sees a position has seen every one below it.
CREATE FUNCTION actors.number_events(OUT first_position bigint, OUT last_position bigint)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
DECLARE
  v_numbered integer;
  -- A bulk of events is numbered in several statements, none of them long.
  c_at_once CONSTANT integer := 1000;
BEGIN
  IF EXISTS (SELECT FROM events WHERE position IS NULL) THEN
    PERFORM pg_advisory_xact_lock(hashtextextended('actors events', 0));
    LOOP
      -- A statement of its own, so that it sees what the holder of the lock before it has numbered.
      WITH waiting AS (
        SELECT id, row_number() OVER (ORDER BY id) AS place
        FROM (SELECT id FROM events WHERE position IS NULL ORDER BY id LIMIT c_at_once) AS unnumbered
      )
      UPDATE events AS e
      SET position = w.place + (SELECT coalesce(max(position), 0) FROM events)
      FROM waiting AS w
      WHERE e.id = w.id;
      GET DIAGNOSTICS v_numbered = ROW_COUNT;
      EXIT WHEN v_numbered < c_at_once;
    END LOOP;
  END IF;
  SELECT coalesce(min(position), 0), coalesce(max(position), 0) INTO first_position, last_position FROM events;
END;
$$;

COMMENT ON FUNCTION actors.number_events() IS
  'Gives every event that can be seen its position, and answers between which they lie; called in READ COMMITTED';

-- The newest event stays, however old: from it the next position follows.
CREATE FUNCTION actors.trim_events(p_keep interval, p_at_most integer)
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
DECLARE
  v_deleted integer;
BEGIN
  -- From the first on without a hole: where an event is still there, so are all after it.
  DELETE FROM events
  WHERE id IN (
    SELECT id FROM events
    WHERE position < least(
      (SELECT position FROM events
       WHERE position IS NOT NULL AND at >= clock_timestamp() - p_keep ORDER BY position LIMIT 1),
      (SELECT max(position) FROM events))
    ORDER BY position
    LIMIT p_at_most
    FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END;
$$;

COMMENT ON FUNCTION actors.trim_events IS
  'Deletes events that are older, the oldest first and no more than so many; answers how many it deleted';

-- =====================================================
-- Where events come from
-- =====================================================

-- All are triggers of statements, so that a run or a wave costs one. An event that cannot be written must not undo what
-- it is about, so that is a warning. The notification is empty, since its payload has a limit; it is only a nudge.

CREATE FUNCTION actors.details_of_run(
  p_job_name text, p_status text, p_records_updated integer, p_error_message text, p_metadata jsonb)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_strip_nulls(jsonb_build_object(
    'jobName', p_job_name,
    'status', p_status,
    'trigger', p_metadata -> 'trigger',
    'cutoffAt', p_metadata -> 'cutoff_at',
    'requestedBy', p_metadata -> 'requested_by',
    'recordsUpdated', CASE WHEN p_status <> 'running' THEN p_records_updated END,
    'agenciesTotal', p_metadata -> 'agencies_total',
    'agenciesFailed', p_metadata -> 'agencies_failed',
    'agenciesLeft', p_metadata -> 'agencies_left',
    'error', left(p_error_message, 500)))
$$;

CREATE FUNCTION actors.note_runs()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    -- A run that is taken back by the transaction that opened it has not been: the watchdog does that every minute in
    -- which it finds nothing to do. What nobody has seen yet of a run that is gone, nobody needs to see.
    DELETE FROM events AS e USING old_rows AS o WHERE e.job_id = o.id AND e.position IS NULL;
    RETURN NULL;
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO events (kind, job_id, details)
    SELECT CASE WHEN n.status = 'running' THEN 'run_started' ELSE 'run_finished' END, n.id,
           actors.details_of_run(n.job_name, n.status::text, n.records_updated, n.error_message, n.metadata)
    FROM new_rows AS n
    ORDER BY n.started_at, n.id;
  ELSE
    INSERT INTO events (kind, job_id, details)
    SELECT 'run_finished', n.id,
           actors.details_of_run(n.job_name, n.status::text, n.records_updated, n.error_message, n.metadata)
    FROM new_rows AS n
    JOIN old_rows AS o ON o.id = n.id
    WHERE o.status = 'running' AND n.status <> 'running'
    ORDER BY n.started_at, n.id;
  END IF;
  IF FOUND THEN
    PERFORM pg_notify('actors_events', '');
  END IF;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'no event tells of this change of jobs_log: %', SQLERRM;
  RETURN NULL;
END;
$$;

CREATE TRIGGER trigger_note_run_insert
AFTER INSERT ON public.jobs_log
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION actors.note_runs();

CREATE TRIGGER trigger_note_run_update
AFTER UPDATE ON public.jobs_log
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION actors.note_runs();

CREATE TRIGGER trigger_note_run_delete
AFTER DELETE ON public.jobs_log
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION actors.note_runs();

-- An alert is one row for as long as its problem lasts. Each failure of an agency, and each run that was late, brings
-- the open one up to date, and is an event of its own.
CREATE FUNCTION actors.note_alerts()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO events (kind, agency_id, job_id, alert_id, details)
    SELECT e.kind, n.agency_id, n.job_id, n.id,
           actors.details_of_alert(e.kind, n.kind, n.severity, n.message, n.details, NULL)
    FROM new_rows AS n,
         LATERAL (VALUES (1, actors.event_of_problem(n.kind)), (2, 'alert_raised')) AS e (place, kind)
    WHERE e.kind IS NOT NULL
    ORDER BY n.raised_at, n.id, e.place;
  ELSE
    INSERT INTO events (kind, agency_id, job_id, alert_id, details)
    SELECT e.kind, n.agency_id, n.job_id, n.id,
           actors.details_of_alert(e.kind, n.kind, n.severity, n.message, n.details, n.acknowledged_by)
    FROM new_rows AS n
    JOIN old_rows AS o ON o.id = n.id,
         LATERAL (VALUES
           (1, CASE WHEN (n.job_id, n.details) IS DISTINCT FROM (o.job_id, o.details)
               THEN actors.event_of_problem(n.kind) END),
           (2, CASE WHEN n.acknowledged_at IS NOT NULL AND o.acknowledged_at IS NULL THEN 'alert_acknowledged' END),
           (3, CASE WHEN n.resolved_at IS NOT NULL AND o.resolved_at IS NULL THEN 'alert_resolved' END)
         ) AS e (place, kind)
    WHERE e.kind IS NOT NULL
    ORDER BY n.raised_at, n.id, e.place;
  END IF;
  IF FOUND THEN
    PERFORM pg_notify('actors_events', '');
  END IF;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'no event tells of this change of alerts: %', SQLERRM;
  RETURN NULL;
END;
$$;

CREATE FUNCTION actors.event_of_problem(p_alert_kind text)
RETURNS text
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE p_alert_kind WHEN 'agency_failed' THEN 'agency_failed' WHEN 'cutoff_late' THEN 'agencies_late' END
$$;

CREATE FUNCTION actors.details_of_alert(
  p_kind text, p_alert_kind text, p_severity text, p_message text, p_details jsonb, p_acknowledged_by text)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT jsonb_strip_nulls(CASE p_kind
    WHEN 'agency_failed' THEN jsonb_build_object(
      'message', left(p_message, 500), 'failedAttempts', p_details -> 'failed_attempts',
      'cutoffDate', p_details -> 'cutoff_date')
    WHEN 'agencies_late' THEN jsonb_build_object(
      'message', left(p_message, 500), 'agencies', p_details -> 'agencies',
      'firstCutoffAt', p_details -> 'first_cutoff_at', 'lateBySeconds', p_details -> 'late_by_seconds')
    ELSE jsonb_build_object(
      'alertKind', p_alert_kind, 'severity', p_severity, 'message', left(p_message, 500),
      'acknowledgedBy', p_acknowledged_by)
  END)
$$;

CREATE TRIGGER trigger_note_alert_insert
AFTER INSERT ON public.alerts
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION actors.note_alerts();

CREATE TRIGGER trigger_note_alert_update
AFTER UPDATE ON public.alerts
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION actors.note_alerts();

-- agency_changes has a row for whatever was done to an agency, through the API or straight in SQL. An import of
-- thousands is one event that says how many.
CREATE FUNCTION actors.note_agencies()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
DECLARE
  v_changes bigint;
  c_told_one_by_one CONSTANT bigint := 100;
BEGIN
  SELECT count(*) INTO v_changes FROM new_rows;
  IF v_changes = 0 THEN
    RETURN NULL;
  ELSIF v_changes > c_told_one_by_one THEN
    INSERT INTO events (kind, details) VALUES ('agencies_changed', jsonb_build_object('changes', v_changes));
  ELSE
    INSERT INTO events (kind, agency_id, details)
    SELECT 'agency_changed', n.agency_id, jsonb_strip_nulls(jsonb_build_object(
      'change', n.kind, 'changedBy', n.changed_by, 'reason', left(n.reason, 500)))
    FROM new_rows AS n
    ORDER BY n.id;
  END IF;
  PERFORM pg_notify('actors_events', '');
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'no event tells of this change of agencies: %', SQLERRM;
  RETURN NULL;
END;
$$;

CREATE TRIGGER trigger_note_agency_changes
AFTER INSERT ON public.agency_changes
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION actors.note_agencies();

-- =====================================================
-- Rights
-- =====================================================

-- Triggers need no right to be called, and these are for nothing else.
REVOKE ALL ON FUNCTION
  actors.number_events(), actors.trim_events(interval, integer),
  actors.note_runs(), actors.note_alerts(), actors.note_agencies(),
  actors.details_of_run(text, text, integer, text, jsonb), actors.event_of_problem(text),
  actors.details_of_alert(text, text, text, text, jsonb, text)
  FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION actors.number_events(), actors.trim_events(interval, integer) TO service_role, actors_api;

ALTER TABLE public.events ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.events FROM PUBLIC, anon, authenticated;

GRANT SELECT, INSERT, UPDATE, DELETE ON public.events TO service_role;
CREATE POLICY "Service role can do everything on events"
  ON public.events
  FOR ALL
  TO service_role
  USING (true)
  WITH CHECK (true);

GRANT SELECT ON public.events TO actors_reader, actors_admin, authenticated;
CREATE POLICY "Actors readers can view events"
  ON public.events
  FOR SELECT
  TO actors_reader, actors_admin
  USING (true);
CREATE POLICY "Actors admins can view events"
  ON public.events
  FOR SELECT
  TO authenticated
  USING ((SELECT actors.caller_is_admin()));
