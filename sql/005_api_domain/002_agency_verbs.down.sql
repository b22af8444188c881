-- Everything here was made by 002_agency_verbs.sql, but for one comment. What was done to agencies and undone is
-- forgotten; the ledger is not.
COMMENT ON COLUMN public.agency_cutoffs.settings_changed_at IS
  'Since when zone and cutoff time are what they are; lateness counts from the later of this and the cutoff';
DROP TRIGGER trigger_begin_where_ledger_ends ON public.agency_cutoffs;
DROP FUNCTION public.begin_where_ledger_ends();
DROP INDEX public.agency_runs_agency_id_completed_at_idx;
DROP TABLE public.agency_run_undos;
DROP TRIGGER trigger_record_agency_delete ON public.agencies;
DROP TRIGGER trigger_record_agency_update ON public.agencies;
DROP TRIGGER trigger_record_agency_insert ON public.agencies;
DROP FUNCTION public.record_agency_changes();
DROP TABLE public.agency_changes;
