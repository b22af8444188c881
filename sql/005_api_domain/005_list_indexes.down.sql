-- What 005_list_indexes.sql made goes, and the indexes that it widened are as they were. No row is lost.
DROP INDEX public.alerts_agency_id_idx;
DROP INDEX public.alerts_severity_idx;
DROP INDEX public.alerts_kind_idx;
DROP INDEX public.alerts_open_idx;
DROP INDEX public.alerts_newest_idx;

SELECT actors.put_back('index', 'public.idx_installments_pending_by_date'),
       actors.put_back('index', 'public.idx_installments_overdue_by_date');

DROP INDEX public.agency_runs_beside_cutoffs_idx;
DROP INDEX public.agency_runs_unsuccessful_idx;
SELECT actors.put_back('index', 'public.agency_runs_one_serves_each_cutoff'),
       actors.put_back('index', 'public.agency_runs_job_id_idx'),
       actors.put_back('index', 'public.idx_jobs_log_job_name');

DROP INDEX public.idx_jobs_log_by_status;
DROP INDEX public.idx_jobs_log_newest;
DROP INDEX public.idx_jobs_log_by_job_and_status;

-- The indexes on these columns go with them.
ALTER TABLE public.jobs_log DROP COLUMN run_facts, DROP COLUMN run_trigger;
