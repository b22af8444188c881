-- The watchdog: where pg_cron is installed, PostgreSQL itself serves cutoffs while no silo does.

CREATE FUNCTION public.run_watchdog(p_now timestamptz, p_patience interval DEFAULT '3 minutes')
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
DECLARE
  v_agencies integer;
BEGIN
  IF EXISTS (
    SELECT FROM sweeps WHERE job_name = 'update-installment-statuses' AND swept_at > p_now - p_patience
  ) THEN
    RETURN 0;
  END IF;
  SELECT count(*) INTO v_agencies FROM serve_cutoffs_in_sql(p_now, false);
  RETURN v_agencies;
END;
$$;

COMMENT ON FUNCTION public.run_watchdog IS
  'Serves what is unserved if no silo has swept for a while; answers how many agencies it served';
REVOKE ALL ON FUNCTION public.run_watchdog(timestamptz, interval) FROM PUBLIC, anon, authenticated;

-- PostgreSQL's own scheduler is somebody else's: where this login may not use it, the migration goes on without.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
    PERFORM cron.schedule(
      'update-installment-statuses-watchdog', '* * * * *', 'SELECT public.run_watchdog(clock_timestamp())');
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE WARNING 'pg_cron is here and % may not use it (%): nothing serves cutoffs without a silo; to change that: %',
    current_user, SQLERRM,
    format('as a superuser GRANT USAGE ON SCHEMA cron TO %I; then as %1$I ', current_user)
    || 'SELECT cron.schedule(''update-installment-statuses-watchdog'', ''* * * * *'', '
    || '''SELECT public.run_watchdog(clock_timestamp())'');';
END;
$$;
