-- Everything here was made by 002_cutoffs_and_runs.sql.
DROP TRIGGER trigger_note_agency_update ON public.agencies;
DROP TRIGGER trigger_note_agency_insert ON public.agencies;
DROP FUNCTION public.note_agency_change();
DROP FUNCTION public.raise_alert(text, text, text, uuid, uuid, text, jsonb, timestamptz);
DROP INDEX public.idx_jobs_log_running;
DROP TABLE public.sweeps;
DROP TABLE public.alerts;
DROP TABLE public.agency_runs;
DROP TABLE public.agency_cutoffs;
