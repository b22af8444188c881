-- Who asked the API for which run, and what was answered: so that asking again with one Idempotency-Key is one run, and
-- so that whoever was answered 202 finds the end of it.

SELECT actors.require_free('public.run_requests');

CREATE TABLE public.run_requests (
  id              uuid PRIMARY KEY,
  caller_id       text NOT NULL,
  requested_by    text NOT NULL,
  reason          text,
  idempotency_key text,
  fingerprint     bytea NOT NULL,
  agency_id       uuid,
  agency_ids      uuid[],
  requested_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempt         integer NOT NULL DEFAULT 1,
  leased_until    timestamptz NOT NULL,
  completed_at    timestamptz,
  answer_status   integer,
  answer_body     text,
  CONSTRAINT run_requests_one_for_each_key UNIQUE (caller_id, idempotency_key),
  CONSTRAINT run_requests_key_has_1_to_255_characters CHECK (length(idempotency_key) BETWEEN 1 AND 255),
  CONSTRAINT run_requests_fingerprint_is_sha256 CHECK (octet_length(fingerprint) = 32),
  CONSTRAINT run_requests_attempts_are_counted CHECK (attempt >= 1),
  CONSTRAINT run_requests_answer_is_a_status_with_its_body
    CHECK ((answer_status IS NULL) = (answer_body IS NULL) AND answer_status BETWEEN 200 AND 599),
  CONSTRAINT run_requests_what_is_completed_is_answered
    CHECK (completed_at IS NULL OR answer_status IS NOT NULL)
);

COMMENT ON TABLE public.run_requests IS
  'Runs that were asked for through the API, and what was answered. An Idempotency-Key is known as long as its row';
COMMENT ON COLUMN public.run_requests.id IS
  'Also that of the run''s row in jobs_log, which is there once something was written';
COMMENT ON COLUMN public.run_requests.caller_id IS 'The id of the API key, or the sub of the token, that asked';
COMMENT ON COLUMN public.run_requests.fingerprint IS
  'SHA-256 over method, path and body in one fixed form: the same key with another one is refused';
COMMENT ON COLUMN public.run_requests.agency_id IS 'The agency that alone was asked for';
COMMENT ON COLUMN public.run_requests.agency_ids IS
  'The agencies that were selected when it was asked; null: all, or agency_id';
COMMENT ON COLUMN public.run_requests.attempt IS
  'Rises when another process takes the run over; only the process of the newest attempt writes here';
COMMENT ON COLUMN public.run_requests.leased_until IS
  'The process that is at it prolongs this; once it has passed, that process is gone, and a retry takes over';
COMMENT ON COLUMN public.run_requests.completed_at IS
  'Since when the answer is kept. With an answer and without this: an error of the moment; a retry runs again';

-- Old rows go, oldest first.
CREATE INDEX run_requests_requested_at_idx ON public.run_requests (requested_at);

-- Those that some process is at, or that its process has left: few.
CREATE INDEX run_requests_unanswered_idx ON public.run_requests (leased_until)
  WHERE completed_at IS NULL AND answer_status IS NULL;

-- =====================================================
-- Retention
-- =====================================================

CREATE FUNCTION actors.trim_run_requests(p_keep interval, p_at_most integer)
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
SET row_security = off
AS $$
DECLARE
  v_deleted integer;
BEGIN
  IF p_keep < interval '24 hours' THEN
    RAISE EXCEPTION 'run requests would be kept for %; an Idempotency-Key is known for at least 24 hours', p_keep
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  DELETE FROM run_requests
  WHERE id IN (
    SELECT id FROM run_requests
    WHERE requested_at < clock_timestamp() - p_keep AND leased_until < clock_timestamp()
    ORDER BY requested_at
    LIMIT p_at_most
    FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_deleted = ROW_COUNT;
  RETURN v_deleted;
END;
$$;

COMMENT ON FUNCTION actors.trim_run_requests IS
  'Deletes requests that are older, the oldest first and no more than so many; answers how many it deleted';

-- =====================================================
-- Rights
-- =====================================================

REVOKE ALL ON FUNCTION actors.trim_run_requests(interval, integer) FROM PUBLIC, anon, authenticated;
GRANT EXECUTE ON FUNCTION actors.trim_run_requests(interval, integer) TO service_role, actors_api;

ALTER TABLE public.run_requests ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.run_requests FROM PUBLIC, anon, authenticated;

-- The API writes these rows as itself: they are its own memory, and not its callers' to write.
GRANT SELECT, INSERT, UPDATE ON public.run_requests TO actors_api;
CREATE POLICY "The API can keep run_requests"
  ON public.run_requests
  FOR ALL
  TO actors_api
  USING (true)
  WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON public.run_requests TO service_role;
CREATE POLICY "Service role can do everything on run_requests"
  ON public.run_requests
  FOR ALL
  TO service_role
  USING (true)
  WITH CHECK (true);

GRANT SELECT ON public.run_requests TO actors_trigger, actors_reader, actors_admin, authenticated;
CREATE POLICY "Actors readers can view run_requests"
  ON public.run_requests
  FOR SELECT
  TO actors_reader, actors_admin
  USING (true);
CREATE POLICY "Actors admins can view run_requests"
  ON public.run_requests
  FOR SELECT
  TO authenticated
  USING ((SELECT actors.caller_is_admin()));
-- By name, as in jobs_log: a key that is rotated finds what its predecessor asked for.
CREATE POLICY "Actors triggers can view run_requests that they made"
  ON public.run_requests
  FOR SELECT
  TO actors_trigger
  USING (requested_by = (SELECT actors.caller_name()));
