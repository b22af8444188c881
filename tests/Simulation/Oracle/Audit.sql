-- What the simulation watches the database with: every committed change that matters leaves a row here, written by a
-- trigger in the transaction that made it, whoever that was. The simulation takes the rows out as it reads them.

CREATE SCHEMA simulation;

CREATE TABLE simulation.audit (
  position     bigint GENERATED ALWAYS AS IDENTITY,
  pid          integer NOT NULL DEFAULT pg_backend_pid(),
  kind         text NOT NULL,
  operation    text NOT NULL,
  id           uuid NOT NULL,
  agency_id    uuid,
  job_id       uuid,
  cutoff_date  date,
  cutoff_at    timestamptz,
  serves       boolean,
  trigger      text,
  started_at   timestamptz,
  late_by      interval,
  status       text,
  old_status   text,
  ids          uuid[],
  records      integer,
  timezone     text,
  cutoff_time  time,
  resolution   text,
  error        text
);

-- Tells the session that has something to be read here once it commits, so that nobody asks after each statement.
CREATE FUNCTION simulation.say_so() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE 'simulation.audit';
  RETURN NULL;
END;
$$;

CREATE TRIGGER simulation_say_so AFTER INSERT ON simulation.audit
FOR EACH STATEMENT EXECUTE FUNCTION simulation.say_so();

-- Agencies whose installments the application refuses to have marked, and with which SQLSTATE.
CREATE TABLE simulation.poisoned (agency_id uuid PRIMARY KEY, state text NOT NULL);
GRANT USAGE ON SCHEMA simulation TO PUBLIC;
GRANT INSERT, DELETE, SELECT ON simulation.poisoned TO PUBLIC;

CREATE FUNCTION simulation.note_installment() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO simulation.audit (kind, operation, id, status, old_status)
  VALUES ('installment', TG_OP, NEW.id, NEW.status, OLD.status);
  RETURN NULL;
END;
$$;

CREATE TRIGGER simulation_note_installment AFTER UPDATE OF status ON public.installments
FOR EACH ROW WHEN (NEW.status = 'overdue') EXECUTE FUNCTION simulation.note_installment();

CREATE TRIGGER simulation_note_restored AFTER UPDATE OF status ON public.installments
FOR EACH ROW WHEN (NEW.status = 'pending' AND OLD.status = 'overdue') EXECUTE FUNCTION simulation.note_installment();

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
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  r agency_runs := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  INSERT INTO simulation.audit (
    kind, operation, id, agency_id, job_id, cutoff_date, cutoff_at, serves, trigger, started_at, late_by, status,
    old_status, ids, records, timezone, cutoff_time, resolution, error)
  VALUES (
    'ledger', TG_OP, r.id, r.agency_id, r.job_id, r.cutoff_date, r.cutoff_at, r.serves_cutoff, r.trigger, r.started_at,
    r.late_by, r.status, CASE WHEN TG_OP <> 'INSERT' THEN OLD.status END, r.installment_ids, r.records_updated,
    r.timezone, r.overdue_cutoff_time, r.resolution, r.error_message);
  RETURN NULL;
END;
$$;

CREATE TRIGGER simulation_note_run AFTER INSERT OR UPDATE OR DELETE ON public.agency_runs
FOR EACH ROW EXECUTE FUNCTION simulation.note_run();

CREATE FUNCTION simulation.note_job() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  r jobs_log := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  INSERT INTO simulation.audit (kind, operation, id, trigger, started_at, status, old_status, records, error)
  VALUES ('job', TG_OP, r.id, r.metadata ->> 'trigger', r.started_at, r.status,
          CASE WHEN TG_OP <> 'INSERT' THEN OLD.status END, r.records_updated, r.error_message);
  RETURN NULL;
END;
$$;

CREATE TRIGGER simulation_note_job AFTER INSERT OR UPDATE OR DELETE ON public.jobs_log
FOR EACH ROW EXECUTE FUNCTION simulation.note_job();

CREATE FUNCTION simulation.note_undo() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO simulation.audit (kind, operation, id, agency_id, ids)
  VALUES ('undo', TG_OP, NEW.agency_run_id, NEW.agency_id, NEW.restored_ids);
  RETURN NULL;
END;
$$;

CREATE TRIGGER simulation_note_undo AFTER INSERT ON public.agency_run_undos
FOR EACH ROW EXECUTE FUNCTION simulation.note_undo();

-- The column started_at carries until when the agency is set aside, and cutoff_at since when its settings are what they
-- are; status is 'paused' or 'served'.
CREATE FUNCTION simulation.note_watermark() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO simulation.audit (kind, operation, id, started_at, cutoff_at, status)
  VALUES ('watermark', TG_OP, NEW.agency_id, NEW.set_aside_until, NEW.settings_changed_at,
          CASE WHEN NEW.paused_at IS NULL THEN 'served' ELSE 'paused' END);
  RETURN NULL;
END;
$$;

CREATE TRIGGER simulation_note_watermark AFTER UPDATE ON public.agency_cutoffs
FOR EACH ROW WHEN (
  NEW.set_aside_until > coalesce(OLD.set_aside_until, '-infinity')
  OR (NEW.paused_at IS NULL) <> (OLD.paused_at IS NULL))
EXECUTE FUNCTION simulation.note_watermark();

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
