-- What the lists of the API need, so that a page costs what the page holds and not what the table has grown to: runs
-- (jobs_log), the agencies of a run (agency_runs), installments that are overdue or due soon, and alerts.
--
-- It rewrites jobs_log and rebuilds two indexes of agency_runs, which nothing can write to meanwhile: some 30 s for
-- 1,000,000 runs and 50 s for 10,000,000 rows of the ledger.

SELECT actors.remember('index', 'public.' || name)
FROM unnest(ARRAY[
  'idx_jobs_log_job_name', 'agency_runs_job_id_idx', 'agency_runs_one_serves_each_cutoff',
  'idx_installments_overdue_by_date', 'idx_installments_pending_by_date'
]) AS name;

-- =====================================================
-- Runs
-- =====================================================

-- metadata lists up to a thousand agencies, so reading it costs more than the rest of the row by far. What a list of
-- runs shows of it stands beside it; of rows that other programs wrote there is nothing to show. run_trigger is a
-- column because row-level security lets no condition on `metadata ->> 'trigger'` near an index: only what is known to
-- leak nothing gets there, and the operator is not. Another program's word may be of any length, an index entry not.
ALTER TABLE public.jobs_log
ADD COLUMN run_trigger text GENERATED ALWAYS AS (left(metadata ->> 'trigger', 50)) STORED,
ADD COLUMN run_facts jsonb GENERATED ALWAYS AS (
  CASE WHEN jsonb_typeof(metadata) = 'object' AND metadata ? 'trigger'
    THEN metadata - ARRAY['agencies', 'failures'] END) STORED;

COMMENT ON COLUMN public.jobs_log.run_trigger IS
  'What started the run: reminder, catch_up, watchdog or api; null for a row of another program';
COMMENT ON COLUMN public.jobs_log.run_facts IS
  'metadata without its long lists; null for a row of another program';

-- One index for each combination of the filters, in the order of the list: then the rows of a page stand side by side,
-- also where few of many match. A run writes them when it opens and when it closes, some hundred times a day.
CREATE INDEX idx_jobs_log_newest ON public.jobs_log (started_at DESC, id DESC);
CREATE INDEX idx_jobs_log_by_status ON public.jobs_log (status, started_at DESC, id DESC);
CREATE INDEX idx_jobs_log_by_trigger ON public.jobs_log (run_trigger, started_at DESC, id DESC)
  WHERE run_trigger IS NOT NULL;
CREATE INDEX idx_jobs_log_by_job_and_status ON public.jobs_log (job_name, status, started_at DESC, id DESC);
CREATE INDEX idx_jobs_log_by_job_and_trigger ON public.jobs_log (job_name, run_trigger, started_at DESC, id DESC)
  WHERE run_trigger IS NOT NULL;
CREATE INDEX idx_jobs_log_by_trigger_and_status ON public.jobs_log (run_trigger, status, started_at DESC, id DESC)
  WHERE run_trigger IS NOT NULL;
CREATE INDEX idx_jobs_log_by_job_trigger_and_status
  ON public.jobs_log (job_name, run_trigger, status, started_at DESC, id DESC)
  WHERE run_trigger IS NOT NULL;

-- The original's index, with the id that tells runs of one instant apart.
DROP INDEX public.idx_jobs_log_job_name;
CREATE INDEX idx_jobs_log_job_name ON public.jobs_log (job_name, started_at DESC, id DESC);

-- =====================================================
-- The ledger
-- =====================================================

-- Each index here is written by the marker, once for each agency of a burst. So there is no new one that covers every
-- row: two carry more than they did, and two hold what is rare. With 10,000,000 rows in the table a burst of 10,000
-- takes 5 % more of PostgreSQL's processor time than before; one more full index in the order of agencies takes 45 %.

-- The agencies of a run, in order.
DROP INDEX public.agency_runs_job_id_idx;
CREATE INDEX agency_runs_job_id_idx ON public.agency_runs (job_id, agency_id);

-- Those of them that failed, or were skipped.
CREATE INDEX agency_runs_unsuccessful_idx ON public.agency_runs (job_id, agency_id) WHERE status <> 'success';

-- The runs of an agency, read from the index alone: those that served its cutoffs, and those that were asked for
-- beside them.
DROP INDEX public.agency_runs_one_serves_each_cutoff;
CREATE UNIQUE INDEX agency_runs_one_serves_each_cutoff
  ON public.agency_runs (agency_id, cutoff_date) INCLUDE (job_id) WHERE serves_cutoff;
CREATE INDEX agency_runs_beside_cutoffs_idx
  ON public.agency_runs (agency_id, cutoff_date, started_at, id) INCLUDE (job_id) WHERE NOT serves_cutoff;

-- =====================================================
-- Installments
-- =====================================================

-- The table is the application's, and each index costs each of its writes. These two hold what is overdue and what is
-- pending, not history: an installment enters one when it is made, the other when it is marked, and leaves when it is
-- paid. Measured at 1,200,000 installments, of which 88,000 are overdue: a page of either list takes 2 to 3 ms of
-- processor time with them and 130 to 230 ms without. There is none in the order of amounts: that list sorts what is
-- overdue, 130 ms.
DO $$
BEGIN
  IF NOT actors.has_index(
    'public.installments', '{student_due_date,id}', '^\(*status\)*(::text\)?)? = ''overdue''::[^ ]+\)*$')
  THEN
    CREATE INDEX idx_installments_overdue_by_date
      ON public.installments (student_due_date, id) WHERE status = 'overdue';
  END IF;
  IF NOT actors.has_index(
    'public.installments', '{student_due_date,id}', '^\(*status\)*(::text\)?)? = ''pending''::[^ ]+\)*$')
  THEN
    CREATE INDEX idx_installments_pending_by_date
      ON public.installments (student_due_date, id) WHERE status = 'pending';
  END IF;
END
$$;

-- =====================================================
-- Alerts
-- =====================================================

CREATE INDEX alerts_newest_idx ON public.alerts (raised_at DESC, id DESC);
CREATE INDEX alerts_open_idx ON public.alerts (raised_at DESC, id DESC) WHERE resolved_at IS NULL;
CREATE INDEX alerts_kind_idx ON public.alerts (kind, raised_at DESC, id DESC);
CREATE INDEX alerts_severity_idx ON public.alerts (severity, raised_at DESC, id DESC);
CREATE INDEX alerts_agency_id_idx ON public.alerts (agency_id, raised_at DESC, id DESC) WHERE agency_id IS NOT NULL;
