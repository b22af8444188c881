-- Raises one exception that names everything of the cluster domain that is missing; says nothing when all is there.
DO $$
DECLARE
  missing text[] := ARRAY[]::text[];
  query_keys CONSTANT text[] := ARRAY[
    'InsertMembershipVersionKey', 'MembershipReadAllKey', 'MembershipReadRowKey', 'InsertMembershipKey',
    'UpdateMembershipKey', 'UpdateIAmAlivetimeKey', 'GatewaysQueryKey', 'DeleteMembershipTableEntriesKey',
    'CleanupDefunctSiloEntriesKey', 'CleanupDefunctSiloEntryKey', 'UpsertReminderRowKey', 'ReadReminderRowsKey',
    'ReadReminderRowKey', 'ReadRangeRows1Key', 'ReadRangeRows2Key', 'DeleteReminderRowKey', 'DeleteReminderRowsKey'];
  functions CONSTANT text[] := ARRAY[
    'orleans.insert_silo('
      'text,text,integer,integer,text,text,integer,integer,timestamp with time zone,timestamp with time zone,integer)',
    'orleans.update_silo(text,text,integer,integer,integer,text,timestamp with time zone,integer)'];
BEGIN
  IF to_regnamespace('orleans') IS NULL THEN
    RAISE EXCEPTION 'cluster domain: schema orleans is missing'
      USING HINT = 'Run `./actors migrate up`.';
  END IF;

  missing := missing || ARRAY(
    SELECT format('%s %s', kind, name)
    FROM (VALUES
      ('table', 'orleans.clusters'), ('table', 'orleans.silos'), ('table', 'orleans.reminders'),
      ('table', 'orleans.orleansquery'), ('index', 'orleans.reminders_service_id_grain_hash_idx'),
      ('sequence', 'orleans.reminder_versions')) AS relations (kind, name)
    WHERE to_regclass(name) IS NULL
    ORDER BY name);

  missing := missing || ARRAY(
    SELECT 'function ' || signature FROM unnest(functions) AS signature
    WHERE to_regprocedure(signature) IS NULL);

  IF to_regclass('orleans.orleansquery') IS NOT NULL THEN
    missing := missing || ARRAY(
      SELECT 'query ' || key FROM unnest(query_keys) AS key
      WHERE NOT EXISTS (SELECT FROM orleans.orleansquery WHERE querykey = key));
  END IF;

  -- That the role exists is for the access domain to say.
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'actors_silo') THEN
    IF NOT has_schema_privilege('actors_silo', 'orleans', 'USAGE') THEN
      missing := missing || 'USAGE of actors_silo on schema orleans'::text;
    END IF;

    missing := missing || ARRAY(
      SELECT format('%s of actors_silo on table %s', privilege, name)
      FROM (VALUES
        ('orleans.orleansquery', ARRAY['SELECT']),
        ('orleans.clusters', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
        ('orleans.silos', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
        ('orleans.reminders', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'])) AS tables (name, privileges)
      CROSS JOIN LATERAL unnest(privileges) AS privilege
      -- The privilege functions answer null for an object id that is not there.
      WHERE NOT has_table_privilege('actors_silo', to_regclass(name)::oid, privilege)
      ORDER BY name, privilege);

    IF NOT has_sequence_privilege('actors_silo', to_regclass('orleans.reminder_versions')::oid, 'USAGE') THEN
      missing := missing || 'USAGE of actors_silo on sequence orleans.reminder_versions'::text;
    END IF;

    missing := missing || ARRAY(
      SELECT 'EXECUTE of actors_silo on function ' || signature FROM unnest(functions) AS signature
      WHERE NOT has_function_privilege('actors_silo', to_regprocedure(signature)::oid, 'EXECUTE'));
  END IF;

  IF cardinality(missing) > 0 THEN
    RAISE EXCEPTION 'cluster domain: missing %', array_to_string(missing, ', ')
      USING HINT = '`./actors migrate status` tells which migrations are applied. A domain that was changed by hand '
        'is put right by migrating it down and up again.';
  END IF;
END
$$;
