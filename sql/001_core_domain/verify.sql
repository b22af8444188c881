-- Raises, listing everything that domain 001 needs and that is missing.
DO $$
DECLARE
  missing TEXT;
BEGIN
  WITH required (kind, name) AS (
    SELECT 'role', role
    FROM unnest(ARRAY['anon', 'authenticated', 'service_role', 'actors_silo', 'actors_api']) AS role
    UNION ALL
    SELECT 'membership', membership
    FROM unnest(ARRAY[
      'actors_silo.service_role', 'actors_api.anon', 'actors_api.authenticated', 'actors_api.service_role'
    ]) AS membership
    UNION ALL
    VALUES
      ('schema', 'auth'), ('function', 'auth.uid()'),
      ('column', 'public.agencies.id'), ('column', 'public.agencies.name'), ('column', 'public.agencies.created_at'),
      ('column', 'public.payment_plans.id'), ('column', 'public.payment_plans.agency_id'),
      ('column', 'public.payment_plans.status'), ('column', 'public.payment_plans.created_at'),
      ('column', 'public.installments.id'), ('column', 'public.installments.payment_plan_id'),
      ('column', 'public.installments.amount'), ('column', 'public.installments.student_due_date'),
      ('column', 'public.installments.status'), ('column', 'public.installments.created_at'),
      ('column', 'public.user_roles.user_id'), ('column', 'public.user_roles.role'),
      ('policy', 'public.agencies.Service role can view agencies'),
      ('policy', 'public.payment_plans.Service role can view payment_plans'),
      ('policy', 'public.installments.Service role can view installments'),
      ('policy', 'public.installments.Service role can update installments'),
      ('policy', 'public.user_roles.Service role can view user_roles')
  ),
  privilege (role, what, given) AS (
    SELECT 'service_role', 'SELECT on ' || name, has_table_privilege(r.oid, to_regclass('public.' || name), 'SELECT')
    FROM unnest(ARRAY['agencies', 'payment_plans', 'installments', 'user_roles']) AS name
    CROSS JOIN pg_roles AS r WHERE r.rolname = 'service_role'
    UNION ALL
    SELECT 'service_role', 'UPDATE (status) on installments',
           has_column_privilege(r.oid, to_regclass('public.installments'), 'status', 'UPDATE')
    FROM pg_roles AS r WHERE r.rolname = 'service_role'
    UNION ALL
    SELECT 'authenticated', 'SELECT on user_roles',
           has_table_privilege(r.oid, to_regclass('public.user_roles'), 'SELECT')
    FROM pg_roles AS r WHERE r.rolname = 'authenticated'
    UNION ALL
    SELECT r.rolname, 'USAGE on schema ' || n.nspname, has_schema_privilege(r.oid, n.oid, 'USAGE')
    FROM pg_roles AS r CROSS JOIN pg_namespace AS n
    WHERE r.rolname IN ('anon', 'authenticated', 'service_role') AND n.nspname IN ('auth', 'public')
  ),
  problem (line) AS (
    SELECT format('%s %s is missing', kind, name) FROM required WHERE actors.definition_of(kind, name) IS NULL
    UNION ALL
    SELECT format('%s lacks %s', role, what) FROM privilege WHERE given IS NOT TRUE
    UNION ALL
    SELECT format('role %s has no LOGIN', rolname) FROM pg_roles
    WHERE rolname IN ('actors_silo', 'actors_api') AND NOT rolcanlogin
    UNION ALL
    SELECT 'role actors_api inherits: ALTER ROLE actors_api NOINHERIT' FROM pg_roles
    WHERE rolname = 'actors_api' AND rolinherit
    UNION ALL
    SELECT 'an index on payment_plans (agency_id) is missing'
    WHERE NOT actors.has_index('public.payment_plans', '{agency_id}')
    UNION ALL
    SELECT 'an index on installments (payment_plan_id) is missing'
    WHERE NOT actors.has_index('public.installments', '{payment_plan_id}')
    UNION ALL
    SELECT 'an index on pending installments (payment_plan_id, student_due_date) is missing'
    WHERE NOT actors.has_index('public.installments', '{payment_plan_id,student_due_date}', 'pending')
  )
  SELECT string_agg(line, E'\n') INTO missing FROM problem;
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'domain 001_core_domain is incomplete:%', E'\n' || missing;
  END IF;
END
$$;
