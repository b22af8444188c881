using Npgsql;

namespace Actors.Silo.Doctor;

/// <summary>Whether the login may do what a silo does, and what it may do beyond that.</summary>
internal static class LoginCheck
{
    private const string Subject = "login";

    /// <summary>Tables that are not there yet count as missing nothing: the schema's line tells of them.</summary>
    private const string Sql =
        """
        SELECT current_user::text, r.rolsuper,
          has_database_privilege(current_database(), 'CREATE')
            AND coalesce((SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c
                          WHERE c.oid = to_regclass('public.agencies')), true) AS may_migrate,
          coalesce((SELECT pg_has_role(s.oid, 'USAGE') FROM pg_roles s WHERE s.rolname = 'service_role'), false),
          coalesce((SELECT row_security_active(to_regclass('public.agency_cutoffs'))), false),
          (SELECT string_agg(format('%s on %s', missing.rights, missing.name), ', ')
           FROM (
             SELECT name, string_agg(needed, ', ') AS rights
             FROM (VALUES
               ('public.agencies', 'SELECT'), ('public.payment_plans', 'SELECT'),
               ('public.installments', 'SELECT'), ('public.installments', 'UPDATE'),
               ('public.jobs_log', 'SELECT'), ('public.jobs_log', 'INSERT'), ('public.jobs_log', 'UPDATE'),
               ('public.agency_cutoffs', 'SELECT'), ('public.agency_cutoffs', 'UPDATE'),
               ('public.agency_runs', 'SELECT'), ('public.agency_runs', 'INSERT'), ('public.agency_runs', 'UPDATE'),
               ('public.alerts', 'SELECT'), ('public.alerts', 'INSERT'), ('public.alerts', 'UPDATE'),
               ('public.sweeps', 'SELECT'), ('public.sweeps', 'INSERT'), ('public.sweeps', 'UPDATE'),
               ('orleans.silos', 'SELECT'), ('orleans.silos', 'INSERT'), ('orleans.silos', 'UPDATE'),
               ('orleans.reminders', 'SELECT'), ('orleans.reminders', 'INSERT'), ('orleans.reminders', 'UPDATE')
             ) AS required (name, needed)
             -- Some rights are granted by column.
             WHERE NOT coalesce(has_any_column_privilege(
               (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE format('%s.%s', n.nspname, c.relname) = name), needed), true)
             GROUP BY name ORDER BY name
           ) AS missing)
        FROM pg_roles r WHERE r.rolname = current_user
        """;

    public static async Task<Finding> RunAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Sql);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return Judge(
            reader.GetString(0),
            isSuperuser: reader.GetBoolean(1),
            mayMigrate: reader.GetBoolean(2),
            isServiceRole: reader.GetBoolean(3),
            isFiltered: reader.GetBoolean(4),
            missing: reader.IsDBNull(5) ? null : reader.GetString(5));
    }

    private static Finding Judge(
        string login, bool isSuperuser, bool mayMigrate, bool isServiceRole, bool isFiltered, string? missing)
    {
        if (missing is not null)
        {
            return Finding.Problem(
                Subject,
                $"'{login}' lacks {missing}; a silo with it would serve nothing: GRANT service_role TO {login}.");
        }

        if (isFiltered && !isServiceRole)
        {
            return Finding.Problem(
                Subject,
                $"Row-level security shows '{login}' no row, so a silo with it would serve nothing: "
                + $"GRANT service_role TO {login}.");
        }

        if (isSuperuser)
        {
            return Finding.Warning(
                Subject,
                $"'{login}' is a superuser, which nothing here needs: run silos as actors_silo, and migrations as the "
                + "owner of the database.");
        }

        return Finding.Ok(Subject, mayMigrate
            ? $"'{login}' may serve cutoffs and change the schema."
            : $"'{login}' may serve cutoffs; migrations and imports need the owner of the database.");
    }
}
