-- Everything here was made by 003_serving_cutoffs.sql.
DROP FUNCTION public.serve_cutoffs_in_sql(timestamptz, boolean);
DROP FUNCTION public.serve_agency_in_sql(uuid, uuid, timestamptz, boolean);
DROP FUNCTION public.note_agency_failure(uuid, uuid, timestamptz, text, text, text, text, text, interval);
DROP FUNCTION public.cutoff_in_sql(date, time, text);
DROP FUNCTION public.close_run(uuid, timestamptz, interval, jsonb);
DROP FUNCTION public.agencies_left_in_run(public.jobs_log);
