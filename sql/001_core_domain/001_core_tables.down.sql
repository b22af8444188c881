-- Rollback: what was there before stays as it was, what was not goes.

SELECT actors.put_back('policy', 'public.user_roles.Users can view their own roles'),
       actors.put_back('policy', 'public.installments.Service role can update installments'),
       actors.put_back('index', 'public.idx_installments_pending_due'),
       actors.put_back('index', 'public.idx_installments_payment_plan_id'),
       actors.put_back('index', 'public.idx_payment_plans_agency_id');

SELECT actors.put_back('policy', format('public.%s.Service role can view %s', name, name)),
       actors.put_back('rights on table', 'public.' || name),
       actors.put_back('row security', 'public.' || name)
FROM unnest(ARRAY['user_roles', 'installments', 'payment_plans', 'agencies']) AS name;

SELECT actors.put_back('column', 'public.installments.created_at'),
       actors.put_back('column', 'public.payment_plans.created_at'),
       actors.put_back('column', 'public.agencies.created_at'),
       actors.put_back('table', 'public.user_roles'),
       actors.put_back('table', 'public.installments'),
       actors.put_back('table', 'public.payment_plans'),
       actors.put_back('table', 'public.agencies');

SELECT actors.put_back('rights on table', 'actors.schema_migrations'),
       actors.put_back('rights on schema', 'actors'),
       actors.put_back('rights on schema', 'public'),
       actors.put_back('rights on schema', 'auth');

SELECT actors.put_back('function', 'auth.uid()'),
       actors.put_back('schema', 'auth');

-- Roles belong to the whole cluster: those that another database uses are left, with a warning that names them.
SELECT actors.put_back('role', role)
FROM unnest(ARRAY['actors_api', 'actors_silo', 'service_role', 'authenticated', 'anon']) AS role;

SELECT actors.put_back('membership', membership)
FROM unnest(ARRAY[
  'actors_silo.service_role', 'actors_api.anon', 'actors_api.authenticated', 'actors_api.service_role'
]) AS membership;
