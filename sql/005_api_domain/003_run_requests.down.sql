-- Rollback: which runs were asked for under which Idempotency-Key is forgotten; jobs_log still has the runs themselves.
DROP FUNCTION actors.trim_run_requests(interval, integer);
DROP TABLE public.run_requests;
