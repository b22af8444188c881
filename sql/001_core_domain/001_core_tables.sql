-- =====================================================
-- Migration: Core tables, roles and auth.uid()
-- =====================================================

-- In real use most of this is there already: a Supabase project brings the roles and schema auth, the application its
-- own agencies, payment_plans and installments, often with enum status columns. So everything here is made only where
-- it is missing. What is there is noted first (actors.remember), and the down file leaves it or brings it back.

-- =====================================================
-- SECTION 1: What is there already
-- =====================================================

SELECT actors.remember('role', role)
FROM unnest(ARRAY['anon', 'authenticated', 'service_role', 'actors_silo', 'actors_api']) AS role;

SELECT actors.remember('membership', membership)
FROM unnest(ARRAY[
  'actors_silo.service_role', 'actors_api.anon', 'actors_api.authenticated', 'actors_api.service_role'
]) AS membership;

SELECT actors.remember('schema', 'auth'), actors.remember('function', 'auth.uid()'),
       actors.remember('rights on schema', 'auth'), actors.remember('rights on schema', 'public'),
       actors.remember('rights on schema', 'actors'), actors.remember('rights on table', 'actors.schema_migrations'),
       actors.remember('rights on function', 'auth.uid()');

SELECT actors.remember('table', 'public.' || name), actors.remember('row security', 'public.' || name),
       actors.remember('rights on table', 'public.' || name),
       actors.remember('column', 'public.' || name || '.created_at'),
       actors.remember('policy', 'public.' || name || '.Service role can view ' || name)
FROM unnest(ARRAY['agencies', 'payment_plans', 'installments', 'user_roles']) AS name;

SELECT actors.remember('policy', 'public.installments.Service role can update installments'),
       actors.remember('policy', 'public.user_roles.Users can view their own roles'),
       actors.remember('index', 'public.idx_payment_plans_agency_id'),
       actors.remember('index', 'public.idx_installments_payment_plan_id'),
       actors.remember('index', 'public.idx_installments_pending_due');

-- =====================================================
-- SECTION 2: Roles
-- =====================================================

-- The three that PostgREST and Supabase know. service_role has no BYPASSRLS here (only a superuser could give it):
-- it has explicit policies instead, so nothing depends on it.
SELECT actors.create_role('anon', 'NOLOGIN'),
       actors.create_role('authenticated', 'NOLOGIN'),
       actors.create_role('service_role', 'NOLOGIN');

-- The two logins of this program. They have no password until somebody sets one, and so cannot log in by password.
-- actors_api does not inherit: each of its transactions takes the role of the caller, and row-level security decides.
SELECT actors.create_role('actors_silo', 'LOGIN INHERIT'),
       actors.create_role('actors_api', 'LOGIN NOINHERIT');

SELECT actors.grant_membership('service_role', 'actors_silo'),
       actors.grant_membership('anon', 'actors_api'),
       actors.grant_membership('authenticated', 'actors_api'),
       actors.grant_membership('service_role', 'actors_api');

-- =====================================================
-- SECTION 3: Schema auth
-- =====================================================

DO $$
BEGIN
  IF to_regnamespace('auth') IS NULL THEN
    CREATE SCHEMA auth;
  END IF;
  IF to_regprocedure('auth.uid()') IS NULL THEN
    -- A setting that was once set on a connection reads '' afterwards, not NULL: both mean that nobody is logged in.
    CREATE FUNCTION auth.uid() RETURNS UUID
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp
    AS $body$
      SELECT coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
      )::uuid
    $body$;
    COMMENT ON FUNCTION auth.uid() IS 'The id of the user whose token the request carries, or NULL';
  END IF;
END
$$;

-- Schema auth is not always ours, so rights are given only where they are missing. The logins get theirs on schema
-- public by name as well: that way the cluster knows that this database uses them, and no other can drop them.
DO $$
DECLARE
  missing RECORD;
BEGIN
  FOR missing IN
    SELECT role, schema
    FROM unnest(ARRAY['anon', 'authenticated', 'service_role']) AS role
    CROSS JOIN unnest(ARRAY['auth', 'public']) AS schema
    WHERE NOT has_schema_privilege(role, schema, 'USAGE')
    UNION ALL
    SELECT role, 'public'
    FROM unnest(ARRAY['anon', 'authenticated', 'service_role', 'actors_silo', 'actors_api']) AS role
    UNION ALL
    SELECT 'service_role', 'actors'
  LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', missing.schema, missing.role);
  END LOOP;
END
$$;

-- A silo looks at its start whether the schema is the one that it was built for.
GRANT SELECT ON actors.schema_migrations TO service_role;

-- =====================================================
-- SECTION 4: Tables
-- =====================================================

CREATE TABLE IF NOT EXISTS agencies (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  name TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- A table that was there before may be of another shape: this says what was found and what is expected, before the
-- next table refers to it.
SELECT actors.require_column('public.agencies', 'id', '{uuid}'),
       actors.require_column('public.agencies', 'name', '{text,character varying}');

-- The words of the application that the job was designed for. The job itself knows 'active' alone.
CREATE TABLE IF NOT EXISTS payment_plans (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  agency_id UUID NOT NULL REFERENCES agencies (id) ON DELETE CASCADE,
  status TEXT NOT NULL DEFAULT 'active'
    CONSTRAINT payment_plans_status_check CHECK (status IN ('draft', 'active', 'paused', 'completed', 'cancelled')),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

SELECT actors.require_column('public.payment_plans', 'id', '{uuid}'),
       actors.require_column('public.payment_plans', 'agency_id', '{uuid}'),
       actors.require_column('public.payment_plans', 'status', '{text,character varying,enum}', '{active}');

-- student_due_date may be NULL: an installment without a due date never becomes overdue.
CREATE TABLE IF NOT EXISTS installments (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  payment_plan_id UUID NOT NULL REFERENCES payment_plans (id) ON DELETE CASCADE,
  amount NUMERIC(12, 2) NOT NULL DEFAULT 0,
  student_due_date DATE,
  status TEXT NOT NULL DEFAULT 'pending'
    CONSTRAINT installments_status_check
    CHECK (status IN ('draft', 'pending', 'paid', 'partial', 'overdue', 'cancelled')),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

DO $$
BEGIN
  IF to_regclass('public.user_roles') IS NULL THEN
    CREATE TABLE user_roles (
      user_id UUID NOT NULL,
      role TEXT NOT NULL,
      created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
      PRIMARY KEY (user_id, role)
    );
    -- Who is an administrator is nobody's business but their own.
    ALTER TABLE user_roles ENABLE ROW LEVEL SECURITY;
  END IF;
END
$$;

SELECT actors.require_column('public.installments', 'id', '{uuid}'),
       actors.require_column('public.installments', 'payment_plan_id', '{uuid}'),
       actors.require_column('public.installments', 'amount', '{numeric}'),
       actors.require_column('public.installments', 'student_due_date', '{date}'),
       actors.require_column('public.installments', 'status', '{text,character varying,enum}', '{pending,overdue}'),
       actors.require_column('public.user_roles', 'user_id', '{uuid}'),
       actors.require_column('public.user_roles', 'role', '{text,character varying,enum}', '{admin}');

DO $$
DECLARE
  relation TEXT;
BEGIN
  FOREACH relation IN ARRAY ARRAY['agencies', 'payment_plans', 'installments'] LOOP
    EXECUTE format('ALTER TABLE %I ADD COLUMN IF NOT EXISTS created_at TIMESTAMPTZ NOT NULL DEFAULT now()', relation);
  END LOOP;
END
$$;

-- =====================================================
-- SECTION 5: Indexes
-- =====================================================

-- The full ones are for the job's joins, and for deletes that cascade: without the one on payment_plan_id, deleting
-- some ten thousand plans does not end. The partial one is what a run walks: it holds what is pending, not history.
-- An index that already does the same is enough.
DO $$
BEGIN
  IF NOT actors.has_index('public.payment_plans', '{agency_id}') THEN
    CREATE INDEX idx_payment_plans_agency_id ON payment_plans (agency_id);
  END IF;
  IF NOT actors.has_index('public.installments', '{payment_plan_id}') THEN
    CREATE INDEX idx_installments_payment_plan_id ON installments (payment_plan_id);
  END IF;
  IF NOT actors.has_index(
    'public.installments', '{payment_plan_id,student_due_date}', '^\(*status\)*(::text\)?)? = ''pending''::[^ ]+\)*$')
  THEN
    CREATE INDEX idx_installments_pending_due
      ON installments (payment_plan_id, student_due_date) WHERE status = 'pending';
  END IF;
END
$$;

-- =====================================================
-- SECTION 6: Rights and policies
-- =====================================================

GRANT SELECT ON agencies, payment_plans, installments, user_roles TO service_role;
GRANT UPDATE (status) ON installments TO service_role;

-- The policy of jobs_log looks into user_roles with the rights of whoever reads jobs_log.
GRANT SELECT ON user_roles TO authenticated;

-- Policies for service_role do nothing while row-level security is off, and are needed where a database has it on:
-- without one for SELECT, an UPDATE finds no rows.
DO $$
DECLARE
  relation TEXT;
BEGIN
  FOREACH relation IN ARRAY ARRAY['agencies', 'payment_plans', 'installments', 'user_roles'] LOOP
    IF actors.definition_of('policy', format('public.%s.Service role can view %s', relation, relation)) IS NULL THEN
      EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO service_role USING (true)',
        'Service role can view ' || relation, relation);
    END IF;
  END LOOP;
  IF actors.definition_of('policy', 'public.installments.Service role can update installments') IS NULL THEN
    CREATE POLICY "Service role can update installments"
      ON installments FOR UPDATE TO service_role USING (true) WITH CHECK (true);
  END IF;
  IF (SELECT relrowsecurity FROM pg_class WHERE oid = 'public.user_roles'::regclass)
    AND actors.definition_of('policy', 'public.user_roles.Users can view their own roles') IS NULL
  THEN
    CREATE POLICY "Users can view their own roles"
      ON user_roles FOR SELECT TO authenticated USING (user_id = (SELECT auth.uid()));
  END IF;
END
$$;
