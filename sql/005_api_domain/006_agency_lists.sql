-- What lists of agencies need: one definition of the state that an agency is in, and indexes in the orders in which
-- agencies and their histories are shown.

-- =====================================================
-- The state of an agency
-- =====================================================

-- The one place that says what the four words mean; the first that holds is the one. STABLE and without any other
-- statement, so that PostgreSQL writes it into the query that asks.
CREATE FUNCTION actors.agency_state(
  p_paused_at timestamptz, p_failed_attempts integer, p_next_cutoff_at timestamptz, p_settings_changed_at timestamptz,
  p_now timestamptz)
RETURNS text
LANGUAGE sql
STABLE
PARALLEL SAFE
AS $$
  SELECT CASE
    WHEN p_paused_at IS NOT NULL THEN 'paused'
    WHEN p_failed_attempts > 0 THEN 'failed'
    -- The sweep takes up what is unserved for longer than this, so a cutoff that is being served is not late.
    WHEN p_next_cutoff_at < p_now - interval '10 seconds' THEN 'late'
    -- Unknown after an insert or a change of settings, until a silo has looked: within a second as a rule, and within
    -- a sweep at the latest. Whether a cutoff was missed is not known after that, and not knowing is no good news.
    WHEN p_next_cutoff_at IS NULL AND coalesce(p_settings_changed_at < p_now - interval '1 minute', true) THEN 'late'
    ELSE 'on_time'
  END
$$;

COMMENT ON FUNCTION actors.agency_state IS
  'paused, failed (since its last success), late (a cutoff is unserved for more than 10 s, or unknown for more than '
  'a minute) or on_time; from the columns of agency_cutoffs and the database''s clock';

REVOKE ALL ON FUNCTION actors.agency_state(timestamptz, integer, timestamptz, timestamptz, timestamptz)
  FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION actors.agency_state(timestamptz, integer, timestamptz, timestamptz, timestamptz)
  TO actors_reader, actors_admin, authenticated, service_role;

-- Of the four states three are rare: these find them among any number of agencies that are on time. What is late is
-- found by agency_cutoffs_next_cutoff_at_idx.
CREATE INDEX agency_cutoffs_paused_idx ON public.agency_cutoffs (agency_id) WHERE paused_at IS NOT NULL;
CREATE INDEX agency_cutoffs_failed_idx ON public.agency_cutoffs (agency_id) WHERE failed_attempts > 0;

-- =====================================================
-- Orders
-- =====================================================

-- A page starts after the last row of the page before, which is one comparison of rows with such an index. What an
-- index can hold is bounded, a name is not: its first 100 characters decide, then the id.
CREATE INDEX agencies_name_order_idx ON public.agencies (lower(left(coalesce(name, ''), 100)), id);

-- Paused agencies have no next cutoff. Written as CASE: what coalesce computes is hidden from row-level security, so
-- that a user with a token would walk the whole index to a page far behind.
CREATE INDEX agency_cutoffs_next_order_idx ON public.agency_cutoffs (
  (CASE WHEN paused_at IS NULL AND next_cutoff_at IS NOT NULL THEN next_cutoff_at ELSE 'infinity' END), agency_id);
CREATE INDEX agency_cutoffs_last_order_idx ON public.agency_cutoffs (
  (CASE WHEN last_cutoff_at IS NOT NULL THEN last_cutoff_at ELSE '-infinity' END), agency_id);

-- The history of an agency, the newest first; its runs have such an index already.
CREATE INDEX agency_changes_history_idx ON public.agency_changes (agency_id, changed_at, id);
