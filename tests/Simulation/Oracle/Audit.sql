-- What the simulation watches the database with: every change that matters is told to the session that makes it, in the
-- moment in which it commits, whoever that is. Nothing is told of what is rolled back, also in part.

CREATE SCHEMA simulation;

-- An instant as the reader of these notices wants it, whatever the session's zone.
CREATE FUNCTION simulation.utc(instant timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$ SELECT to_char(instant AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') $$;

-- Agencies whose installments the application refuses to have marked, and with which SQLSTATE.
CREATE TABLE simulation.poisoned (agency_id uuid PRIMARY KEY, state text NOT NULL);
GRANT USAGE ON SCHEMA simulation TO PUBLIC;
GRANT INSERT, DELETE, SELECT ON simulation.poisoned TO PUBLIC;

CREATE FUNCTION simulation.note_installment() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE 'simulation.audit %', json_build_object(
    'kind', 'installment', 'operation', TG_OP, 'id', NEW.id, 'status', NEW.status);
  RETURN NULL;
END;
$$;

CREATE CONSTRAINT TRIGGER simulation_note_installment AFTER UPDATE OF status ON public.installments
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.status = 'overdue' OR (NEW.status = 'pending' AND OLD.status = 'overdue'))
EXECUTE FUNCTION simulation.note_installment();

CREATE FUNCTION simulation.refuse_poisoned() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  v_state text;
BEGIN
  SELECT x.state INTO v_state
  FROM payment_plans p JOIN simulation.poisoned x ON x.agency_id = p.agency_id WHERE p.id = NEW.payment_plan_id;
  IF FOUND THEN
    RAISE EXCEPTION 'the application refuses' USING ERRCODE = v_state;
  END IF;
  RETURN NEW;
END;
$$;

CREATE TRIGGER simulation_refuse_poisoned BEFORE UPDATE OF status ON public.installments
FOR EACH ROW WHEN (NEW.status = 'overdue') EXECUTE FUNCTION simulation.refuse_poisoned();

CREATE FUNCTION simulation.note_run() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  r public.agency_runs := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  RAISE NOTICE 'simulation.audit %', json_build_object(
    'kind', 'ledger', 'operation', TG_OP, 'id', r.id, 'agency', r.agency_id, 'job', r.job_id,
    'cutoff_date', r.cutoff_date, 'cutoff_at', simulation.utc(r.cutoff_at), 'serves', r.serves_cutoff,
    'trigger', r.trigger, 'started_at', simulation.utc(r.started_at),
    'microseconds_late', (extract(epoch FROM r.late_by) * 1000000)::bigint, 'status', r.status,
    'old_status', CASE WHEN TG_OP <> 'INSERT' THEN OLD.status END, 'ids', r.installment_ids,
    'timezone', r.timezone, 'cutoff_time', r.overdue_cutoff_time, 'resolution', r.resolution,
    'error', r.error_message);
  RETURN NULL;
END;
$$;

CREATE CONSTRAINT TRIGGER simulation_note_run AFTER INSERT OR UPDATE OR DELETE ON public.agency_runs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION simulation.note_run();

CREATE FUNCTION simulation.note_job() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  r public.jobs_log := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  RAISE NOTICE 'simulation.audit %', json_build_object(
    'kind', 'job', 'operation', TG_OP, 'id', r.id, 'trigger', r.metadata ->> 'trigger',
    'started_at', simulation.utc(r.started_at), 'status', r.status,
    'old_status', CASE WHEN TG_OP <> 'INSERT' THEN OLD.status END, 'records', r.records_updated,
    'error', r.error_message);
  RETURN NULL;
END;
$$;

CREATE CONSTRAINT TRIGGER simulation_note_job AFTER INSERT OR UPDATE OR DELETE ON public.jobs_log
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION simulation.note_job();

CREATE FUNCTION simulation.note_undo() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE 'simulation.audit %', json_build_object(
    'kind', 'undo', 'operation', TG_OP, 'id', NEW.agency_run_id, 'agency', NEW.agency_id, 'ids', NEW.restored_ids);
  RETURN NULL;
END;
$$;

CREATE CONSTRAINT TRIGGER simulation_note_undo AFTER INSERT ON public.agency_run_undos
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION simulation.note_undo();

-- Here started_at carries until when the agency is set aside, and cutoff_at since when its settings are what they are;
-- status is 'paused' or 'served'.
CREATE FUNCTION simulation.note_watermark() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE 'simulation.audit %', json_build_object(
    'kind', 'watermark', 'operation', TG_OP, 'id', NEW.agency_id, 'started_at', simulation.utc(NEW.set_aside_until),
    'cutoff_at', simulation.utc(NEW.settings_changed_at),
    'status', CASE WHEN NEW.paused_at IS NULL THEN 'served' ELSE 'paused' END);
  RETURN NULL;
END;
$$;

CREATE CONSTRAINT TRIGGER simulation_note_watermark AFTER UPDATE ON public.agency_cutoffs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (
  NEW.set_aside_until > coalesce(OLD.set_aside_until, '-infinity')
  OR (NEW.paused_at IS NULL) <> (OLD.paused_at IS NULL))
EXECUTE FUNCTION simulation.note_watermark();

-- Not for the judge: when a sweep would find the agency, which the simulation would else ask again and again.
CREATE FUNCTION simulation.note_wanted() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
  r public.agency_cutoffs := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  RAISE NOTICE 'simulation.audit %', json_build_object(
    'kind', 'wanted', 'operation', TG_OP, 'id', r.agency_id,
    'started_at', CASE WHEN TG_OP <> 'DELETE' AND r.paused_at IS NULL THEN simulation.utc(greatest(
      coalesce(r.next_cutoff_at + interval '10.001 seconds', r.settings_changed_at), r.set_aside_until)) END);
  RETURN NULL;
END;
$$;

CREATE CONSTRAINT TRIGGER simulation_note_wanted
AFTER INSERT OR DELETE OR UPDATE OF next_cutoff_at, settings_changed_at, set_aside_until, paused_at
ON public.agency_cutoffs
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION simulation.note_wanted();

-- A wait for a lock takes real time while the simulated clock stands still.
ALTER FUNCTION public.serve_cutoffs_in_sql(timestamptz, boolean) SET lock_timeout = '2ms';

-- Nobody listens here: nudges are the world's own. And a server lets only one transaction that notifies commit at a
-- time, in whatever database, so that a world would wait for another, and give up what it would have got alone.
CREATE FUNCTION simulation.notify_nobody(channel text, payload text) RETURNS void
LANGUAGE plpgsql AS 'BEGIN END';
GRANT EXECUTE ON FUNCTION simulation.notify_nobody(text, text) TO PUBLIC;

DO $$
DECLARE
  v_function record;
BEGIN
  FOR v_function IN
    SELECT pg_get_functiondef(oid) AS definition FROM pg_proc
    WHERE pronamespace IN ('public'::regnamespace, 'actors'::regnamespace) AND prosrc LIKE '%PERFORM pg_notify(%'
  LOOP
    EXECUTE replace(v_function.definition, 'PERFORM pg_notify(', 'PERFORM simulation.notify_nobody(');
  END LOOP;
END;
$$;

-- Statistics decide on plans, plans on the order of rows, and where rows tie, the one that lies first comes first. All
-- of that must follow from what was done to them, and not from when the machine's clock sent somebody to look: the
-- simulation makes the statistics itself, every few simulated days.
DO $$
DECLARE
  v_table regclass;
BEGIN
  FOR v_table IN
    SELECT oid FROM pg_class
    WHERE relkind = 'r' AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
  LOOP
    EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', v_table);
  END LOOP;
END;
$$;
