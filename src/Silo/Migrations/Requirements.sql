-- What up files ask for: roles that may be there, and tables of a shape that fits. Renewed and dropped with the rest
-- of the bookkeeping.

-- Two databases of one cluster may be migrated at the same moment, and roles belong to the cluster: losing that race
-- is as good as finding the role.
CREATE OR REPLACE FUNCTION actors.create_role(role TEXT, attributes TEXT) RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF to_regrole(quote_ident(role)) IS NULL THEN
    EXECUTE format('CREATE ROLE %I %s', role, attributes);
  END IF;
EXCEPTION
  WHEN duplicate_object OR unique_violation THEN NULL;
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the role % is missing, and % may not create it', role, current_user
      USING ERRCODE = 'insufficient_privilege',
        HINT = format('As an administrator: CREATE ROLE %I %s; or ALTER ROLE %I CREATEROLE;',
          role, attributes, current_user);
END
$$;

-- From PostgreSQL 16 on, whoever creates a role is its member from then on, but only to administer it: to act as the
-- role takes a grant of its own. 'SET' asks for that; earlier versions do not know the word.
CREATE OR REPLACE FUNCTION actors.grant_membership(role TEXT, member TEXT) RETURNS VOID
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF actors.definition_of('membership', member || '.' || role) IS NULL
    OR NOT pg_has_role(member, role,
      CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
  THEN
    EXECUTE format('GRANT %I TO %I', role, member);
  END IF;
EXCEPTION
  WHEN unique_violation THEN NULL;
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION '% may not make % a member of %', current_user, member, role
      USING ERRCODE = 'insufficient_privilege', HINT = format('As an administrator: GRANT %I TO %I;', role, member);
END
$$;

-- A relation of this name that is not ours would be mistaken for ours.
CREATE OR REPLACE FUNCTION actors.require_free(name TEXT) RETURNS VOID
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF to_regclass(name) IS NOT NULL THEN
    RAISE EXCEPTION '% is there already and was not made by this program', name
      USING ERRCODE = 'duplicate_table', HINT = 'Rename it, or give this program a database without it.';
  END IF;
END
$$;

-- Stops, saying what was found and what is expected, unless the column has one of the types; for an enum ('enum'
-- among the types) unless it has all of the labels.
CREATE OR REPLACE FUNCTION actors.require_column(
  relation TEXT, column_name TEXT, types TEXT[], labels TEXT[] DEFAULT '{}')
RETURNS VOID
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  held RECORD;
  expected TEXT := array_to_string(types, ' or ');
BEGIN
  IF NOT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(relation) AND relkind IN ('r', 'p')) THEN
    RAISE EXCEPTION '% is no table', relation USING ERRCODE = 'wrong_object_type', HINT = 'A table is expected here.';
  END IF;
  SELECT a.atttypid AS type, format_type(a.atttypid, NULL) AS name, t.typtype
  INTO held
  FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
  WHERE a.attrelid = to_regclass(relation) AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'table % has no column %, expected is one of type %', relation, column_name, expected
      USING ERRCODE = 'undefined_column', HINT = 'Add it, then run the same command again.';
  ELSIF held.typtype = 'e' AND 'enum' = ANY (types) THEN
    IF NOT labels <@ (SELECT array_agg(enumlabel::text) FROM pg_enum WHERE enumtypid = held.type) THEN
      RAISE EXCEPTION 'column %.% is of enum type %, which lacks one of the values %', relation, column_name,
          held.name, array_to_string(labels, ', ')
        USING ERRCODE = 'datatype_mismatch', HINT = format('ALTER TYPE %s ADD VALUE ...;', held.name);
    END IF;
  ELSIF held.name <> ALL (types) THEN
    RAISE EXCEPTION 'column %.% is of type %, expected is %', relation, column_name, held.name, expected
      USING ERRCODE = 'datatype_mismatch', HINT = 'Change its type, then run the same command again.';
  END IF;
END
$$;

-- Whether a usable B-tree leads with these columns and has this predicate (a pattern; NULL: it covers all rows).
CREATE OR REPLACE FUNCTION actors.has_index(relation TEXT, columns TEXT[], predicate TEXT DEFAULT NULL) RETURNS BOOLEAN
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT EXISTS (
    SELECT FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'btree'
    WHERE i.indrelid = to_regclass(relation) AND i.indisvalid
      AND CASE WHEN predicate IS NULL THEN i.indpred IS NULL
               ELSE coalesce(pg_get_expr(i.indpred, i.indrelid) ~ predicate, false) END
      AND columns = (
        SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
        LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE k.place <= cardinality(columns)))
$$;
