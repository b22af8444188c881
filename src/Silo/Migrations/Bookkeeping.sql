-- What the runner keeps for itself: the history, and what was there before us. It is made in the transaction of the
-- first migration and goes, all of it, in the transaction that takes the last one down (Bookkeeping.down.sql).
-- It is written so that running it again, by a newer version, only renews the functions.

SELECT set_config('actors.schema_was_there',
  (to_regnamespace('actors') IS NOT NULL AND to_regclass('actors.found_before') IS NULL)::text, true);

CREATE SCHEMA IF NOT EXISTS actors;

CREATE TABLE IF NOT EXISTS actors.schema_migrations (
  version TEXT PRIMARY KEY,
  sequence BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
  domain TEXT NOT NULL,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL CONSTRAINT checksum_is_sha256 CHECK (checksum ~ '^[0-9a-f]{64}$'),
  applied_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  applied_by TEXT NOT NULL DEFAULT session_user
);
COMMENT ON TABLE actors.schema_migrations IS
  'One row for each migration that is applied; sequence is the order in which that happened';

CREATE TABLE IF NOT EXISTS actors.found_before (
  migration TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,
  PRIMARY KEY (migration, kind, name)
);
COMMENT ON TABLE actors.found_before IS
  'What a migration found already there, with the statement that brings it back; what has no row here is ours to drop';

INSERT INTO actors.found_before (migration, kind, name, definition)
SELECT 'bookkeeping', 'schema', 'actors', '' WHERE current_setting('actors.schema_was_there')::boolean
ON CONFLICT DO NOTHING;

-- The rights on an object, one row each: what ('SELECT ON TABLE public.t') and to whom. Grants that were never
-- touched are stored as NULL by PostgreSQL and mean the default, hence acldefault.
CREATE OR REPLACE FUNCTION actors.rights_on(kind TEXT, name TEXT)
RETURNS TABLE (what TEXT, grantee TEXT)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH acl AS (
    SELECT '' AS columns, 'TABLE' AS noun, acldefault('r', c.relowner) AS preset, c.relacl AS given
    FROM pg_class AS c WHERE kind = 'rights on table' AND c.oid = to_regclass(name)
    UNION ALL
    SELECT format(' (%I)', a.attname), 'TABLE', NULL, a.attacl
    FROM pg_attribute AS a
    WHERE kind = 'rights on table' AND a.attrelid = to_regclass(name) AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT '', 'SCHEMA', acldefault('n', n.nspowner), n.nspacl
    FROM pg_namespace AS n WHERE kind = 'rights on schema' AND n.oid = to_regnamespace(name)
    UNION ALL
    SELECT '', 'FUNCTION', acldefault('f', p.proowner), p.proacl
    FROM pg_proc AS p WHERE kind = 'rights on function' AND p.oid = to_regprocedure(name)
  )
  SELECT format('%s%s ON %s %s', r.privilege_type, acl.columns, acl.noun, rights_on.name),
         CASE r.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.grantee)) END
  FROM acl CROSS JOIN LATERAL aclexplode(coalesce(acl.given, acl.preset)) AS r
$$;

-- The statement that makes the named object what it is now, or NULL where there is none. Names are written
-- schema.table.leaf; only the leaf (a policy's name, say) may hold dots.
CREATE OR REPLACE FUNCTION actors.definition_of(kind TEXT, name TEXT) RETURNS TEXT
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  part TEXT[] := string_to_array(name, '.');
  leaf TEXT := array_to_string(part[3:], '.');
  relation REGCLASS := CASE WHEN kind IN ('column', 'constraint', 'trigger', 'policy')
    THEN to_regclass(part[1] || '.' || part[2]) END;
BEGIN
  CASE kind
    WHEN 'schema' THEN
      RETURN (SELECT '' FROM pg_namespace WHERE nspname = name);
    WHEN 'role' THEN
      RETURN (SELECT '' FROM pg_roles WHERE rolname = name);
    WHEN 'membership' THEN  -- member.role, as the two are named, without quotes
      RETURN (
        SELECT DISTINCT '' FROM pg_auth_members AS m
        WHERE pg_get_userbyid(m.member) || '.' || pg_get_userbyid(m.roleid) = name);
    WHEN 'table' THEN
      RETURN (
        SELECT format('COMMENT ON TABLE %s IS %L', c.oid::regclass, obj_description(c.oid, 'pg_class'))
        FROM pg_class AS c WHERE c.oid = to_regclass(name));
    WHEN 'row security' THEN
      RETURN (
        SELECT format('ALTER TABLE %s %s ROW LEVEL SECURITY', c.oid::regclass,
          CASE WHEN c.relrowsecurity THEN 'ENABLE' ELSE 'DISABLE' END)
        FROM pg_class AS c WHERE c.oid = to_regclass(name));
    WHEN 'column' THEN
      RETURN (
        SELECT format('ALTER TABLE %1$s ALTER COLUMN %2$I %3$s, ALTER COLUMN %2$I %4$s; '
            'COMMENT ON COLUMN %1$s.%2$I IS %5$L',
          relation, a.attname,
          CASE WHEN a.attnotnull THEN 'SET NOT NULL' ELSE 'DROP NOT NULL' END,
          coalesce('SET DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), 'DROP DEFAULT'),
          col_description(a.attrelid, a.attnum))
        FROM pg_attribute AS a
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE a.attrelid = relation AND a.attname = leaf AND NOT a.attisdropped);
    WHEN 'index' THEN
      RETURN pg_get_indexdef(to_regclass(name));
    WHEN 'constraint' THEN
      RETURN (
        SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', relation, c.conname, pg_get_constraintdef(c.oid))
        FROM pg_constraint AS c WHERE c.conrelid = relation AND c.conname = leaf);
    WHEN 'function' THEN
      RETURN (
        SELECT format('%s; COMMENT ON FUNCTION %s IS %L', pg_get_functiondef(p.oid), p.oid::regprocedure,
          obj_description(p.oid, 'pg_proc'))
        FROM pg_proc AS p WHERE p.oid = to_regprocedure(name));
    WHEN 'trigger' THEN
      RETURN (
        SELECT pg_get_triggerdef(t.oid) FROM pg_trigger AS t
        WHERE t.tgrelid = relation AND t.tgname = leaf AND NOT t.tgisinternal);
    WHEN 'policy' THEN
      RETURN (
        SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.policyname, relation, p.permissive, p.cmd,
          (SELECT string_agg(CASE r WHEN 'public' THEN 'PUBLIC' ELSE quote_ident(r) END, ', ' ORDER BY r)
           FROM unnest(p.roles) AS r),
          ' USING (' || p.qual || ')', ' WITH CHECK (' || p.with_check || ')')
        FROM pg_policies AS p
        -- By its names: a cast of each row's name would fail on a schema that this login may not use.
        WHERE p.policyname = leaf AND (p.schemaname, p.tablename) = (
          SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
          WHERE c.oid = relation));
    WHEN 'rights on table', 'rights on schema', 'rights on function' THEN
      RETURN (
        SELECT string_agg(r.what || ' TO ' || r.grantee, E'\n' ORDER BY r.what, r.grantee)
        FROM actors.rights_on(kind, name) AS r);
  END CASE;
END
$$;

-- Called by an up file before it touches the object: what is there now will be there again after down.
CREATE OR REPLACE FUNCTION actors.remember(kind TEXT, name TEXT) RETURNS VOID
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO actors.found_before (migration, kind, name, definition)
  SELECT current_setting('actors.migration'), remember.kind, remember.name, found.definition
  FROM actors.definition_of(remember.kind, remember.name) AS found (definition)
  WHERE found.definition IS NOT NULL
  ON CONFLICT DO NOTHING
$$;

-- Whether a role is named by anything in another database of this cluster: then it is not ours to take away.
CREATE OR REPLACE FUNCTION actors.is_used_elsewhere(role TEXT) RETURNS BOOLEAN
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM pg_shdepend AS d
    WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = to_regrole(quote_ident(role))
      AND d.dbid <> 0 AND d.dbid <> (SELECT oid FROM pg_database WHERE datname = current_database()))
$$;

CREATE OR REPLACE FUNCTION actors.put_back_rights(kind TEXT, name TEXT, before TEXT) RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  statement TEXT;
BEGIN
  -- Only what our roles hold is taken away: a grant that somebody gave to another role meanwhile is not ours.
  FOR statement IN
    SELECT format('REVOKE %s FROM %s', r.what, r.grantee) FROM actors.rights_on(kind, name) AS r
    WHERE r.what || ' TO ' || r.grantee <> ALL (string_to_array(before, E'\n'))
      AND r.grantee IN (
        'PUBLIC', 'anon', 'authenticated', 'service_role', 'actors_silo', 'actors_api',
        'actors_trigger', 'actors_reader', 'actors_admin')
    UNION ALL
    SELECT 'GRANT ' || was FROM unnest(string_to_array(before, E'\n')) AS was
    WHERE was NOT IN (SELECT r.what || ' TO ' || r.grantee FROM actors.rights_on(kind, name) AS r)
  LOOP
    EXECUTE statement;
  END LOOP;
END
$$;

-- Takes away what was not there before. Roles and schemas may meanwhile serve others, and are left then.
CREATE OR REPLACE FUNCTION actors.take_away(kind TEXT, name TEXT) RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  part TEXT[] := string_to_array(name, '.');
  leaf TEXT := array_to_string(part[3:], '.');
  -- Of a membership: no role that is granted here has a dot in its name, its member may.
  member TEXT := array_to_string(trim_array(part, 1), '.');
  role TEXT := part[cardinality(part)];
  statement TEXT;
BEGIN
  statement := CASE kind
    WHEN 'schema' THEN format('DROP SCHEMA %I', name)
    WHEN 'role' THEN format('DROP ROLE %I', name)
    WHEN 'membership' THEN format('REVOKE %I FROM %I', role, member)
    WHEN 'table' THEN format('DROP TABLE %s', name)
    WHEN 'column' THEN format('ALTER TABLE %I.%I DROP COLUMN %I', part[1], part[2], leaf)
    WHEN 'index' THEN format('DROP INDEX %s', name)
    WHEN 'constraint' THEN format('ALTER TABLE %I.%I DROP CONSTRAINT %I', part[1], part[2], leaf)
    WHEN 'function' THEN format('DROP FUNCTION %s', name)
    WHEN 'trigger' THEN format('DROP TRIGGER %I ON %I.%I', leaf, part[1], part[2])
    WHEN 'policy' THEN format('DROP POLICY %I ON %I.%I', leaf, part[1], part[2])
  END;
  IF kind = 'membership' AND (actors.is_used_elsewhere(member) OR actors.is_used_elsewhere(role)) THEN
    RAISE WARNING 'role % stays a member of %: another database of this cluster uses them', member, role;
  ELSIF kind IN ('schema', 'role') THEN
    BEGIN
      EXECUTE statement;
    EXCEPTION WHEN dependent_objects_still_exist OR object_in_use OR insufficient_privilege THEN
      RAISE WARNING '% % was left in place: %', kind, name, SQLERRM;
    END;
  ELSIF statement IS NOT NULL THEN
    EXECUTE statement;
  END IF;
END
$$;

-- Called by a down file: an object that was not there before is taken away, one that was is made what it was.
CREATE OR REPLACE FUNCTION actors.put_back(kind TEXT, name TEXT) RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET check_function_bodies = off
AS $$
DECLARE
  now_is TEXT := actors.definition_of(kind, name);
  was TEXT := (
    SELECT f.definition FROM actors.found_before AS f
    WHERE f.migration = current_setting('actors.migration') AND f.kind = put_back.kind AND f.name = put_back.name);
BEGIN
  IF now_is IS NOT DISTINCT FROM was
    OR (now_is IS NULL AND kind NOT IN ('index', 'constraint', 'trigger', 'policy', 'function'))
  THEN
    RETURN;
  ELSIF was IS NULL THEN
    PERFORM actors.take_away(kind, name);
  ELSIF kind LIKE 'rights on %' THEN
    PERFORM actors.put_back_rights(kind, name, was);
  ELSE
    -- A function keeps its place (a trigger may hang on it): its definition is a CREATE OR REPLACE.
    IF now_is IS NOT NULL AND kind IN ('index', 'constraint', 'trigger', 'policy') THEN
      PERFORM actors.take_away(kind, name);
    END IF;
    EXECUTE was;
  END IF;
EXCEPTION WHEN check_violation OR foreign_key_violation OR not_null_violation OR unique_violation THEN
  RAISE EXCEPTION 'cannot bring back % % as it was: %', kind, name, SQLERRM
    USING HINT = 'Rows were written since that it does not allow. Change them, then run the same command again.';
END
$$;
