DO $$
BEGIN
  IF to_regnamespace('cron') IS NOT NULL AND EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron') THEN
    PERFORM cron.unschedule(jobid) FROM cron.job WHERE jobname = 'update-installment-statuses-watchdog';
  END IF;
END;
$$;
DROP FUNCTION public.run_watchdog(timestamptz, interval);
