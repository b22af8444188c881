DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
    PERFORM cron.unschedule(jobid) FROM cron.job WHERE jobname = 'update-installment-statuses-watchdog';
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  -- Then it was not scheduled by this login either.
  RAISE WARNING 'this login may not read cron.job; %',
    'look there for "update-installment-statuses-watchdog", which calls a function that is gone now';
END;
$$;
DROP FUNCTION public.run_watchdog(timestamptz, interval);
