-- Rollback migration: Remove all jobs infrastructure, except what was there before

-- Drop trigger and function
SELECT actors.put_back('trigger', 'public.jobs_log.trigger_notify_job_failure'),
       actors.put_back('function', 'public.notify_job_failure()');

-- Drop status update function
SELECT actors.put_back('function', 'public.update_installment_statuses()'),
       actors.put_back('rights on function', 'public.update_installment_statuses()');

-- Remove agency fields
SELECT actors.put_back('constraint', 'public.agencies.' || name)
FROM unnest(ARRAY[
  'agencies_due_soon_days_check', 'agencies_cutoff_time_check', 'agencies_timezone_check'
]) AS name;

SELECT actors.put_back('column', 'public.agencies.' || name)
FROM unnest(ARRAY['due_soon_threshold_days', 'overdue_cutoff_time', 'timezone']) AS name;

DROP TABLE supported_timezones;

-- Drop jobs_log table
SELECT actors.put_back('policy', 'public.jobs_log.' || policy)
FROM unnest(ARRAY[
  'Service role can delete job logs', 'Service role can update job logs', 'Service role can insert job logs',
  'Service role can view job logs', 'Admin users can view all job logs'
]) AS policy;

SELECT actors.put_back('index', 'public.idx_jobs_log_status'), actors.put_back('index', 'public.idx_jobs_log_job_name'),
       actors.put_back('column', 'public.jobs_log.job_name'), actors.put_back('column', 'public.jobs_log.metadata')
WHERE EXISTS (
  SELECT FROM actors.found_before
  WHERE migration = current_setting('actors.migration') AND kind = 'table' AND name = 'public.jobs_log');

SELECT actors.put_back('rights on table', 'public.jobs_log'),
       actors.put_back('row security', 'public.jobs_log'),
       actors.put_back('table', 'public.jobs_log');
