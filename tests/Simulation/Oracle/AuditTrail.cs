using Actors.Tests.Simulation.Wire;
using NodaTime;
using Npgsql;

namespace Actors.Tests.Simulation.Oracle;

/// <summary>A committed change, as the trigger in its transaction saw it.</summary>
internal sealed record AuditRow(
    long Position, int Pid, string Kind, string Operation, Guid Id, Guid? Agency, Guid? Job, LocalDate? CutoffDate,
    Instant? CutoffAt, bool? Serves, string? Trigger, Instant? StartedAt, Duration? LateBy, string? Status,
    string? OldStatus, Guid[] Ids, int? Records, string? Timezone, LocalTime? CutoffTime, string? Resolution,
    string? Error);

/// <summary>
/// The simulation's own eyes and hands on the server: it reads the audit trail, sees who waits for whom, and ends
/// sessions. As a superuser, past the network that the silos are on.
/// </summary>
internal sealed class AuditTrail : IDisposable
{
    /// <summary>What the server notes to a session that has written something of the trail.</summary>
    public const string Written = "simulation.audit";

    private const string Take =
        """
        DELETE FROM simulation.audit
        RETURNING position, pid, kind, operation, id, agency_id, job_id, cutoff_date, cutoff_at, serves, trigger,
                  started_at, late_by, status, old_status, ids, records, timezone, cutoff_time, resolution, error
        """;

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _take;
    private readonly NpgsqlCommand _blockers;
    private string? _tables;

    public AuditTrail(string superuserConnectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(superuserConnectionString);
        builder.ConnectionStringBuilder.MaxAutoPrepare = 50;
        builder.ConnectionStringBuilder.Options = $"-c {ServerEnd.PlanOnce}";
        builder.UseNodaTime();
        _source = builder.Build();
        _connection = _source.OpenConnection();
        using (var sql = new StreamReader(typeof(AuditTrail).Assembly.GetManifestResourceStream("Audit.sql")!))
            Run(sql.ReadToEnd());
        _take = new NpgsqlCommand(Take, _connection);
        _take.Prepare();
        _blockers = new NpgsqlCommand("SELECT pg_blocking_pids($1)", _connection)
        {
            Parameters = { new NpgsqlParameter<int>() },
        };
        _blockers.Prepare();
    }

    /// <summary>All committed changes since it was last asked, in the order in which they were made.</summary>
    public IReadOnlyList<AuditRow> TakeAll()
    {
        using var reader = _take.ExecuteReader();
        if (!reader.HasRows) return [];
        var rows = new List<AuditRow>();
        while (reader.Read()) rows.Add(Read(reader));
        rows.Sort((a, b) => a.Position.CompareTo(b.Position));
        return rows;
    }

    /// <summary>The sessions that hold what this one waits for.</summary>
    public int[] BlockersOf(int pid)
    {
        _blockers.Parameters[0].Value = pid;
        return (int[])_blockers.ExecuteScalar()!;
    }

    /// <summary>
    /// What the server's own workers would do by the machine's clock: removes dead rows and counts the living. It waits
    /// for nobody, and leaves out what it would have to wait for.
    /// </summary>
    public void Tidy()
    {
        _tables ??= Ask<string>(
            """
            SELECT string_agg(oid::regclass::text, ', ' ORDER BY oid) FROM pg_class
            WHERE 'autovacuum_enabled=off' = ANY (reloptions)
            """);
        Run($"VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE off) {_tables}");
    }

    public void Terminate(int pid) => Ask<bool>($"SELECT pg_terminate_backend({pid}, 10000)");

    private void Run(string sql)
    {
        using var command = new NpgsqlCommand(sql, _connection);
        command.ExecuteNonQuery();
    }

    /// <summary>The one value that a query answers; null for NULL.</summary>
    public T? Ask<T>(string sql)
    {
        using var command = new NpgsqlCommand(sql, _connection);
        using var reader = command.ExecuteReader();
        reader.Read();
        return reader.IsDBNull(0) ? default : reader.GetFieldValue<T>(0);
    }

    /// <summary>Every row that a query answers, read by a function.</summary>
    public List<T> List<T>(string sql, Func<NpgsqlDataReader, T> read)
    {
        using var command = new NpgsqlCommand(sql, _connection);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    public void Dispose()
    {
        _take.Dispose();
        _blockers.Dispose();
        _connection.Dispose();
        _source.Dispose();
    }

    private static AuditRow Read(NpgsqlDataReader reader) => new(
        reader.GetInt64(0), reader.GetInt32(1), reader.GetString(2), reader.GetString(3), reader.GetGuid(4),
        Value<Guid>(reader, 5), Value<Guid>(reader, 6), Value<LocalDate>(reader, 7), Value<Instant>(reader, 8),
        Value<bool>(reader, 9), Text(reader, 10), Value<Instant>(reader, 11),
        Value<TimeSpan>(reader, 12) is { } late ? Duration.FromTimeSpan(late) : null,
        Text(reader, 13), Text(reader, 14), reader.IsDBNull(15) ? [] : reader.GetFieldValue<Guid[]>(15),
        Value<int>(reader, 16), Text(reader, 17), Value<LocalTime>(reader, 18), Text(reader, 19), Text(reader, 20));

    private static T? Value<T>(NpgsqlDataReader reader, int column) where T : struct =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<T>(column);

    private static string? Text(NpgsqlDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);
}
