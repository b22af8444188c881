-- Rollback: nothing is told live any more, and what was told is forgotten.
DROP TRIGGER trigger_note_agency_changes ON public.agency_changes;
DROP TRIGGER trigger_note_alert_update ON public.alerts;
DROP TRIGGER trigger_note_alert_insert ON public.alerts;
DROP TRIGGER trigger_note_run_delete ON public.jobs_log;
DROP TRIGGER trigger_note_run_update ON public.jobs_log;
DROP TRIGGER trigger_note_run_insert ON public.jobs_log;
DROP FUNCTION actors.note_agencies();
DROP FUNCTION actors.note_alerts();
DROP FUNCTION actors.details_of_alert(text, text, text, text, jsonb, text);
DROP FUNCTION actors.event_of_problem(text);
DROP FUNCTION actors.note_runs();
DROP FUNCTION actors.details_of_run(text, text, integer, text, jsonb);
DROP FUNCTION actors.trim_events(interval, integer);
DROP FUNCTION actors.number_events();
DROP TABLE public.events;
