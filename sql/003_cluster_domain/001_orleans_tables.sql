-- Orleans' membership and reminders.
--
-- Orleans' ADO.NET providers ship no tables. They read every row of `OrleansQuery(QueryKey, QueryText)` at start and
-- run those texts with named parameters; so the keys, the parameter names and the result columns of the texts below
-- are theirs, and everything else is ours. Orleans' connections find `orleansquery` by `Search Path=orleans`; the
-- texts themselves name their schema and depend on no path.

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'orleans') THEN
    RAISE EXCEPTION 'the schema "orleans" exists already and was not made by this migration'
      USING
        ERRCODE = 'duplicate_schema',
        DETAIL = 'This migration makes the schema itself, so that its down file can drop it and nothing else.',
        HINT = 'Rename it (ALTER SCHEMA orleans RENAME TO …) or, if nobody needs it, drop it; then migrate again.';
  END IF;
END
$$;

CREATE SCHEMA orleans;
COMMENT ON SCHEMA orleans IS 'What Orleans needs of a database: who is in the cluster, and which reminders it keeps.';

-- =====================================================
-- SECTION 1: Membership
-- =====================================================

CREATE TABLE orleans.clusters (
  cluster_id text NOT NULL,
  version integer NOT NULL DEFAULT 0,
  CONSTRAINT clusters_pkey PRIMARY KEY (cluster_id),
  CONSTRAINT clusters_cluster_id_length CHECK (char_length(cluster_id) <= 150),
  CONSTRAINT clusters_version_is_not_negative CHECK (version >= 0)
);
COMMENT ON TABLE orleans.clusters IS
  'One row per Orleans cluster. Whoever changes who is a member locks it, checks its version and raises that by one.';
COMMENT ON COLUMN orleans.clusters.cluster_id IS 'ClusterOptions.ClusterId; the providers call it DeploymentId.';
COMMENT ON COLUMN orleans.clusters.version IS 'Orleans'' table version, and its etag; heartbeats leave it alone.';

CREATE TABLE orleans.silos (
  cluster_id text NOT NULL,
  address text NOT NULL,
  port integer NOT NULL,
  generation integer NOT NULL,
  silo_name text NOT NULL,
  host_name text NOT NULL,
  status integer NOT NULL,
  proxy_port integer NOT NULL,
  suspect_times text,
  start_time timestamptz NOT NULL,
  i_am_alive_time timestamptz NOT NULL,
  CONSTRAINT silos_pkey PRIMARY KEY (cluster_id, address, port, generation),
  CONSTRAINT silos_cluster_id_fkey
    FOREIGN KEY (cluster_id) REFERENCES orleans.clusters (cluster_id) ON DELETE CASCADE,
  -- The longest IPv6 text is 45 characters; a link-local one also carries its scope.
  CONSTRAINT silos_address_length CHECK (char_length(address) <= 64),
  CONSTRAINT silos_port_is_a_tcp_port CHECK (port BETWEEN 0 AND 65535),
  CONSTRAINT silos_proxy_port_is_a_tcp_port CHECK (proxy_port BETWEEN 0 AND 65535),
  CONSTRAINT silos_silo_name_length CHECK (char_length(silo_name) <= 255),
  CONSTRAINT silos_host_name_length CHECK (char_length(host_name) <= 255),
  CONSTRAINT silos_status_is_known CHECK (status BETWEEN 0 AND 6),
  -- Orleans reads an empty list back as none; kept as '' it would never again equal what Orleans captured.
  CONSTRAINT silos_suspect_times_is_null_when_empty CHECK (suspect_times <> '')
);
COMMENT ON TABLE orleans.silos IS
  'One row per silo that is or was a member of a cluster. Orleans removes the dead ones when they are old enough.';
COMMENT ON COLUMN orleans.silos.address IS 'IPv4 or IPv6, as .NET prints it; the providers read it as text.';
COMMENT ON COLUMN orleans.silos.generation IS
  'Tells a restarted silo on the same address and port from its earlier life.';
COMMENT ON COLUMN orleans.silos.status IS
  '0 none, 1 created, 2 joining, 3 active, 4 shutting down, 5 stopping, 6 dead.';
COMMENT ON COLUMN orleans.silos.proxy_port IS
  'The gateway port that clients connect to; 0 when the silo is no gateway.';
COMMENT ON COLUMN orleans.silos.suspect_times IS
  'Who suspected this silo and when, in Orleans'' own text; null for nobody.';
COMMENT ON COLUMN orleans.silos.i_am_alive_time IS 'The silo''s last heartbeat, by its own clock.';

-- Both functions lock the cluster's row before they look further. So of several writers that read the same version
-- one goes on, and the others, once they have waited, see another version and answer false with nothing written.

CREATE FUNCTION orleans.insert_silo(
  new_cluster_id text,
  new_address text,
  new_port integer,
  new_generation integer,
  new_silo_name text,
  new_host_name text,
  new_status integer,
  new_proxy_port integer,
  new_start_time timestamptz,
  new_i_am_alive_time timestamptz,
  expected_version integer)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM orleans.clusters
    WHERE cluster_id = new_cluster_id AND version = expected_version
    FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;

  INSERT INTO orleans.silos (
    cluster_id, address, port, generation, silo_name, host_name, status, proxy_port, start_time, i_am_alive_time)
  VALUES (
    new_cluster_id, new_address, new_port, new_generation, new_silo_name, new_host_name, new_status, new_proxy_port,
    new_start_time, new_i_am_alive_time)
  ON CONFLICT ON CONSTRAINT silos_pkey DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;

  UPDATE orleans.clusters SET version = version + 1 WHERE cluster_id = new_cluster_id;
  RETURN true;
END
$$;
COMMENT ON FUNCTION orleans.insert_silo IS
  'Adds a silo and raises its cluster''s version, or does neither and answers false: '
  'when the version is not the expected one, or the silo is there already.';

CREATE FUNCTION orleans.update_silo(
  known_cluster_id text,
  known_address text,
  known_port integer,
  known_generation integer,
  new_status integer,
  new_suspect_times text,
  new_i_am_alive_time timestamptz,
  expected_version integer)
RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM FROM orleans.clusters
    WHERE cluster_id = known_cluster_id AND version = expected_version
    FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;

  UPDATE orleans.silos
    SET status = new_status,
        suspect_times = nullif(new_suspect_times, ''),
        i_am_alive_time = new_i_am_alive_time
    WHERE cluster_id = known_cluster_id
      AND address = known_address
      AND port = known_port
      AND generation = known_generation;
  IF NOT FOUND THEN
    RETURN false;
  END IF;

  UPDATE orleans.clusters SET version = version + 1 WHERE cluster_id = known_cluster_id;
  RETURN true;
END
$$;
COMMENT ON FUNCTION orleans.update_silo IS
  'Changes a silo and raises its cluster''s version, or does neither and answers false: '
  'when the version is not the expected one, or the silo is absent.';

-- =====================================================
-- SECTION 2: Reminders
-- =====================================================

-- One sequence for all reminders, and not a counter in each row: a reminder that was removed and registered again
-- must not get an etag that an earlier holder of it still knows.
CREATE SEQUENCE orleans.reminder_versions AS integer CYCLE;
COMMENT ON SEQUENCE orleans.reminder_versions IS 'The etags of reminders: a new one for every write.';

CREATE TABLE orleans.reminders (
  service_id text NOT NULL,
  grain_id text NOT NULL,
  reminder_name text NOT NULL,
  start_time timestamptz NOT NULL,
  period bigint NOT NULL,
  grain_hash integer NOT NULL,
  version integer NOT NULL DEFAULT nextval('orleans.reminder_versions'),
  -- With 150 characters each, the key fits an index entry whatever the characters are.
  CONSTRAINT reminders_pkey PRIMARY KEY (service_id, grain_id, reminder_name),
  CONSTRAINT reminders_service_id_length CHECK (char_length(service_id) <= 150),
  CONSTRAINT reminders_grain_id_length CHECK (char_length(grain_id) <= 150),
  CONSTRAINT reminders_reminder_name_length CHECK (char_length(reminder_name) <= 150),
  CONSTRAINT reminders_period_is_not_negative CHECK (period >= 0)
);
ALTER SEQUENCE orleans.reminder_versions OWNED BY orleans.reminders.version;
COMMENT ON TABLE orleans.reminders IS
  'The alarm clocks of grains: due at start_time + n × period, whichever silo then holds the grain''s hash.';
COMMENT ON COLUMN orleans.reminders.service_id IS 'ClusterOptions.ServiceId; it outlives clusters.';
COMMENT ON COLUMN orleans.reminders.period IS 'In milliseconds.';
COMMENT ON COLUMN orleans.reminders.grain_hash IS
  'Orleans'' unsigned 32-bit hash of the grain id, its bits taken as a signed integer, as Orleans binds it.';
COMMENT ON COLUMN orleans.reminders.version IS 'The etag.';

-- Every silo reads its whole range of hashes at every refresh.
CREATE INDEX reminders_service_id_grain_hash_idx ON orleans.reminders (service_id, grain_hash);

-- =====================================================
-- SECTION 3: The texts that Orleans runs
-- =====================================================

CREATE TABLE orleans.orleansquery (
  querykey text NOT NULL,
  querytext text NOT NULL,
  CONSTRAINT orleansquery_pkey PRIMARY KEY (querykey)
);
COMMENT ON TABLE orleans.orleansquery IS
  'What Orleans'' ADO.NET providers run, by key. They fix this table''s name and that of its columns.';

INSERT INTO orleans.orleansquery (querykey, querytext) VALUES
('InsertMembershipVersionKey', $query$
  WITH created AS (
    INSERT INTO orleans.clusters (cluster_id) VALUES (@DeploymentId)
    ON CONFLICT ON CONSTRAINT clusters_pkey DO NOTHING
    RETURNING cluster_id
  )
  SELECT EXISTS (SELECT FROM created)
$query$),
('MembershipReadAllKey', $query$
  SELECT
    silos.address AS Address, silos.port AS Port, silos.generation AS Generation, silos.silo_name AS SiloName,
    silos.host_name AS HostName, silos.status AS Status, silos.proxy_port AS ProxyPort,
    silos.suspect_times AS SuspectTimes, silos.start_time AS StartTime, silos.i_am_alive_time AS IAmAliveTime,
    clusters.version AS Version
  FROM orleans.clusters
  LEFT JOIN orleans.silos ON silos.cluster_id = clusters.cluster_id
  WHERE clusters.cluster_id = @DeploymentId
$query$),
('MembershipReadRowKey', $query$
  SELECT
    silos.address AS Address, silos.port AS Port, silos.generation AS Generation, silos.silo_name AS SiloName,
    silos.host_name AS HostName, silos.status AS Status, silos.proxy_port AS ProxyPort,
    silos.suspect_times AS SuspectTimes, silos.start_time AS StartTime, silos.i_am_alive_time AS IAmAliveTime,
    clusters.version AS Version
  FROM orleans.clusters
  LEFT JOIN orleans.silos
    ON silos.cluster_id = clusters.cluster_id
    AND silos.address = @Address
    AND silos.port = @Port
    AND silos.generation = @Generation
  WHERE clusters.cluster_id = @DeploymentId
$query$),
('InsertMembershipKey', $query$
  SELECT orleans.insert_silo(
    @DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime,
    @Version)
$query$),
('UpdateMembershipKey', $query$
  SELECT orleans.update_silo(
    @DeploymentId, @Address, @Port, @Generation, @Status, @SuspectTimes, @IAmAliveTime, @Version)
$query$),
('UpdateIAmAlivetimeKey', $query$
  UPDATE orleans.silos
    SET i_am_alive_time = @IAmAliveTime
    WHERE cluster_id = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation
$query$),
('GatewaysQueryKey', $query$
  SELECT address AS Address, proxy_port AS ProxyPort, generation AS Generation
  FROM orleans.silos
  WHERE cluster_id = @DeploymentId AND status = @Status AND proxy_port > 0
$query$),
('DeleteMembershipTableEntriesKey', $query$
  DELETE FROM orleans.clusters WHERE cluster_id = @DeploymentId
$query$),
-- A silo that never sent a heartbeat is as old as its start.
('CleanupDefunctSiloEntriesKey', $query$
  DELETE FROM orleans.silos
    WHERE cluster_id = @DeploymentId
      AND status = 6
      AND greatest(start_time, i_am_alive_time) < @IAmAliveTime
$query$),
-- Orleans 10.4 prefers this one: it decides by the row it has read, which must still be that row.
('CleanupDefunctSiloEntryKey', $query$
  DELETE FROM orleans.silos
    WHERE cluster_id = @DeploymentId
      AND address = @Address
      AND port = @Port
      AND generation = @Generation
      AND status = 6
      AND suspect_times IS NOT DISTINCT FROM nullif(@SuspectTimes, '')
      AND start_time IS NOT DISTINCT FROM @StartTime
      AND i_am_alive_time IS NOT DISTINCT FROM @IAmAliveTime
$query$),
('UpsertReminderRowKey', $query$
  INSERT INTO orleans.reminders (service_id, grain_id, reminder_name, start_time, period, grain_hash)
  VALUES (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash)
  ON CONFLICT ON CONSTRAINT reminders_pkey DO UPDATE
    SET start_time = excluded.start_time,
        period = excluded.period,
        grain_hash = excluded.grain_hash,
        version = excluded.version
  RETURNING version AS Version
$query$),
('ReadReminderRowsKey', $query$
  SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period,
    version AS Version
  FROM orleans.reminders
  WHERE service_id = @ServiceId AND grain_id = @GrainId
$query$),
('ReadReminderRowKey', $query$
  SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period,
    version AS Version
  FROM orleans.reminders
  WHERE service_id = @ServiceId AND grain_id = @GrainId AND reminder_name = @ReminderName
$query$),
-- Orleans picks between the next two by comparing the signed hashes, so in signed order the first never wraps.
('ReadRangeRows1Key', $query$
  SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period,
    version AS Version
  FROM orleans.reminders
  WHERE service_id = @ServiceId AND grain_hash > @BeginHash AND grain_hash <= @EndHash
$query$),
('ReadRangeRows2Key', $query$
  SELECT grain_id AS GrainId, reminder_name AS ReminderName, start_time AS StartTime, period AS Period,
    version AS Version
  FROM orleans.reminders
  WHERE service_id = @ServiceId AND (grain_hash > @BeginHash OR grain_hash <= @EndHash)
$query$),
('DeleteReminderRowKey', $query$
  WITH deleted AS (
    DELETE FROM orleans.reminders
      WHERE service_id = @ServiceId
        AND grain_id = @GrainId
        AND reminder_name = @ReminderName
        AND version = @Version
      RETURNING grain_id
  )
  SELECT EXISTS (SELECT FROM deleted)
$query$),
('DeleteReminderRowsKey', $query$
  DELETE FROM orleans.reminders WHERE service_id = @ServiceId
$query$);

-- =====================================================
-- SECTION 4: Rights
-- =====================================================

-- Functions are open to everybody when they are made; tables and sequences are not.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA orleans FROM PUBLIC;

DO $$
BEGIN
  -- The role is another domain's; without it, only the owner of the database can run a silo.
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'actors_silo') THEN
    GRANT USAGE ON SCHEMA orleans TO actors_silo;
    GRANT SELECT ON orleans.orleansquery TO actors_silo;
    GRANT SELECT, INSERT, UPDATE, DELETE ON orleans.clusters, orleans.silos, orleans.reminders TO actors_silo;
    GRANT USAGE ON SEQUENCE orleans.reminder_versions TO actors_silo;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA orleans TO actors_silo;
  END IF;
END
$$;
