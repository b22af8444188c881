-- What was done to an agency by whom and why, which of its runs were undone, and where an agency begins that was there
-- before. Pausing, resuming and undoing are the silos' to do; these rows are what they leave.

SELECT actors.require_free('public.agency_changes'), actors.require_free('public.agency_run_undos');

-- =====================================================
-- What was done to an agency
-- =====================================================

-- No foreign key: what was done outlives the agency.
CREATE TABLE public.agency_changes (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  agency_id  uuid NOT NULL,
  changed_at timestamptz NOT NULL,
  changed_by text NOT NULL,
  kind       text NOT NULL,
  reason     text,
  details    jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT agency_changes_kind_check
    CHECK (kind IN ('created', 'settings_changed', 'paused', 'resumed', 'run_undone', 'deleted'))
);

COMMENT ON TABLE public.agency_changes IS
  'What was done to an agency, by whom and why, also where it was done straight in SQL; rows are never changed';
COMMENT ON COLUMN public.agency_changes.changed_by IS
  'The name of a key or a person; for a change in SQL without a request, the login';
COMMENT ON COLUMN public.agency_changes.details IS
  'created and deleted: the settings; settings_changed: from and to of each; resumed: the mode; run_undone: the run';

CREATE INDEX agency_changes_agency_id_idx ON public.agency_changes (agency_id, id);

-- One statement of an application is one call, however many rows it changes, and one row for each agency whose settings
-- it has changed. SECURITY DEFINER, because whoever may change an agency need not know of this table.
CREATE FUNCTION public.record_agency_changes()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
DECLARE
  v_by text;
BEGIN
  BEGIN
    v_by := actors.caller_name();
  EXCEPTION WHEN invalid_text_representation OR untranslatable_character THEN
    -- Claims that are no JSON are no reason to keep an application from its work.
    v_by := session_user;
  END;

  IF TG_OP = 'INSERT' THEN
    INSERT INTO agency_changes (agency_id, changed_at, changed_by, kind, details)
    SELECT a.id, clock_timestamp(), v_by, 'created', jsonb_build_object(
      'name', a.name, 'timezone', a.timezone, 'overdue_cutoff_time', a.overdue_cutoff_time,
      'due_soon_threshold_days', a.due_soon_threshold_days)
    FROM new_agencies AS a;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO agency_changes (agency_id, changed_at, changed_by, kind, details)
    SELECT a.id, clock_timestamp(), v_by, 'deleted', jsonb_build_object(
      'name', a.name, 'timezone', a.timezone, 'overdue_cutoff_time', a.overdue_cutoff_time,
      'due_soon_threshold_days', a.due_soon_threshold_days)
    FROM old_agencies AS a;
  ELSE
    INSERT INTO agency_changes (agency_id, changed_at, changed_by, kind, details)
    SELECT n.id, clock_timestamp(), v_by, 'settings_changed', c.details
    FROM old_agencies AS o
    JOIN new_agencies AS n ON n.id = o.id
    CROSS JOIN LATERAL (
      SELECT jsonb_object_agg(s.name, jsonb_build_object('from', s.before, 'to', s.after)) AS details
      FROM (VALUES
        ('name', to_jsonb(o.name), to_jsonb(n.name)),
        ('timezone', to_jsonb(o.timezone), to_jsonb(n.timezone)),
        ('overdue_cutoff_time', to_jsonb(o.overdue_cutoff_time), to_jsonb(n.overdue_cutoff_time)),
        ('due_soon_threshold_days', to_jsonb(o.due_soon_threshold_days), to_jsonb(n.due_soon_threshold_days))
      ) AS s (name, before, after)
      WHERE s.before IS DISTINCT FROM s.after
    ) AS c
    WHERE (o.name, o.timezone, o.overdue_cutoff_time, o.due_soon_threshold_days)
      IS DISTINCT FROM (n.name, n.timezone, n.overdue_cutoff_time, n.due_soon_threshold_days);
  END IF;
  RETURN NULL;
END;
$$;

COMMENT ON FUNCTION public.record_agency_changes IS
  'Writes into agency_changes what a statement did to agencies; nothing where no setting changed';

CREATE TRIGGER trigger_record_agency_insert
AFTER INSERT ON public.agencies
REFERENCING NEW TABLE AS new_agencies
FOR EACH STATEMENT EXECUTE FUNCTION public.record_agency_changes();

-- Transition tables and a list of columns do not go together: the function itself leaves out what has not changed.
CREATE TRIGGER trigger_record_agency_update
AFTER UPDATE ON public.agencies
REFERENCING OLD TABLE AS old_agencies NEW TABLE AS new_agencies
FOR EACH STATEMENT EXECUTE FUNCTION public.record_agency_changes();

CREATE TRIGGER trigger_record_agency_delete
AFTER DELETE ON public.agencies
REFERENCING OLD TABLE AS old_agencies
FOR EACH STATEMENT EXECUTE FUNCTION public.record_agency_changes();

-- =====================================================
-- Runs that were undone
-- =====================================================

-- A run is undone at most once. What is known of it goes when the ledger's own time is over.
CREATE TABLE public.agency_run_undos (
  agency_run_id uuid PRIMARY KEY REFERENCES public.agency_runs (id) ON DELETE CASCADE,
  agency_id     uuid NOT NULL,
  undone_at     timestamptz NOT NULL,
  undone_by     text NOT NULL,
  reason        text NOT NULL,
  restored_ids  uuid[] NOT NULL,
  left_out      jsonb NOT NULL DEFAULT '[]',
  CONSTRAINT agency_run_undos_restore_something CHECK (cardinality(restored_ids) > 0)
);

COMMENT ON TABLE public.agency_run_undos IS
  'Runs whose installments are pending again; the ledger still tells what the run did';
COMMENT ON COLUMN public.agency_run_undos.restored_ids IS 'The installments that went from overdue back to pending';
COMMENT ON COLUMN public.agency_run_undos.left_out IS
  'The others that the run had marked: [{"installment_id": …, "why": paid | changed | held_by_later_run | deleted}]';

-- An undo looks at the later runs of one agency, and whoever reads its history at the newest.
CREATE INDEX agency_runs_agency_id_completed_at_idx ON public.agency_runs (agency_id, completed_at);

-- =====================================================
-- Where an agency begins that was there before
-- =====================================================

-- An agency that is deleted and inserted again under its id goes on where its ledger ends: its dates have their rows
-- already, and each has exactly one.
CREATE FUNCTION public.begin_where_ledger_ends()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
BEGIN
  SELECT r.cutoff_date, r.cutoff_at INTO NEW.last_cutoff_date, NEW.last_cutoff_at
  FROM agency_runs AS r
  WHERE r.agency_id = NEW.agency_id AND r.serves_cutoff AND r.status <> 'failed'
  ORDER BY r.cutoff_date DESC
  LIMIT 1;
  RETURN NEW;
END;
$$;

COMMENT ON FUNCTION public.begin_where_ledger_ends IS
  'Gives a new watermark the latest date that the ledger has served for the agency, if there is any';

CREATE TRIGGER trigger_begin_where_ledger_ends
BEFORE INSERT ON public.agency_cutoffs
FOR EACH ROW
WHEN (NEW.last_cutoff_date IS NULL AND NEW.next_cutoff_date IS NULL)
EXECUTE FUNCTION public.begin_where_ledger_ends();

COMMENT ON COLUMN public.agency_cutoffs.settings_changed_at IS
  'Since when it is served with these settings: a change or a resume; lateness counts from the later of this and the '
  'cutoff';

-- =====================================================
-- Rights
-- =====================================================

REVOKE ALL ON FUNCTION public.record_agency_changes(), public.begin_where_ledger_ends()
  FROM PUBLIC, anon, authenticated;

-- Both are written once and never changed: the silo may not do so either.
DO $$
DECLARE
  v_table text;
BEGIN
  FOREACH v_table IN ARRAY ARRAY['agency_changes', 'agency_run_undos'] LOOP
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', v_table);
    EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, anon, authenticated, service_role', v_table);
    EXECUTE format('GRANT SELECT, INSERT ON public.%I TO service_role', v_table);
    EXECUTE format('GRANT SELECT ON public.%I TO actors_reader, actors_admin, authenticated', v_table);
    EXECUTE format(
      'CREATE POLICY %I ON public.%I FOR ALL TO service_role USING (true) WITH CHECK (true)',
      'Service role can do everything on ' || v_table, v_table);
    EXECUTE format('CREATE POLICY %I ON public.%I FOR SELECT TO actors_reader, actors_admin USING (true)',
      'Actors readers can view ' || v_table, v_table);
    EXECUTE format(
      'CREATE POLICY %I ON public.%I FOR SELECT TO authenticated USING ((SELECT actors.caller_is_admin()))',
      'Actors admins can view ' || v_table, v_table);
  END LOOP;
END;
$$;
REVOKE ALL ON SEQUENCE public.agency_changes_id_seq FROM PUBLIC, anon, authenticated, service_role;
