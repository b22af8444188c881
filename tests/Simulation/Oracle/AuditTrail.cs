using System.Text.Json;
using Actors.Tests.Simulation.Wire;
using NodaTime;
using NodaTime.Serialization.SystemTextJson;
using Npgsql;

namespace Actors.Tests.Simulation.Oracle;

/// <summary>A committed change, as the trigger in its transaction saw it.</summary>
internal sealed record AuditRow(
    string Kind, string Operation, Guid Id, Guid? Agency, Guid? Job, LocalDate? CutoffDate, Instant? CutoffAt,
    bool? Serves, string? Trigger, Instant? StartedAt, long? MicrosecondsLate, string? Status, string? OldStatus,
    Guid[] Ids, int? Records, string? Timezone, LocalTime? CutoffTime, string? Resolution, string? Error)
{
    /// <summary>The session that made it.</summary>
    public int Pid { get; init; }

    public Guid[] Ids { get; init; } = Ids ?? [];

    public Duration? LateBy => MicrosecondsLate is { } late ? Duration.FromTicks(late * 10) : null;
}

/// <summary>
/// The simulation's own eyes and hands on the server: it keeps what sessions are told as they commit, sees who waits
/// for whom, and ends sessions. As a superuser, past the network that the silos are on.
/// </summary>
internal sealed class AuditTrail : IDisposable
{
    /// <summary>What a notice begins with that tells of a change; the change follows, as JSON.</summary>
    public const string Notice = "simulation.audit ";

    private static readonly JsonSerializerOptions Json = new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    }.ConfigureForNodaTime(DateTimeZoneProviders.Tzdb);

    private readonly List<AuditRow> _rows = [];
    private readonly Dictionary<Guid, Instant> _wanted = [];
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlConnection _connection;
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
        _blockers = new NpgsqlCommand("SELECT pg_blocking_pids($1)", _connection)
        {
            Parameters = { new NpgsqlParameter<int>() },
        };
        _blockers.Prepare();
    }

    /// <summary>Takes down what a session was told while it committed, without the beginning.</summary>
    public void Add(int pid, IEnumerable<string> notices)
    {
        foreach (var notice in notices)
        {
            var row = JsonSerializer.Deserialize<AuditRow>(notice, Json)! with { Pid = pid };
            if (row.Kind != "wanted") _rows.Add(row);
            else if (row.StartedAt is { } at) _wanted[row.Id] = at;
            else _wanted.Remove(row.Id);
        }
    }

    /// <summary>When the next agency is there that a sweep would find; null where there is none.</summary>
    public Instant? WantedAt => _wanted.Count == 0 ? null : _wanted.Values.Min();

    /// <summary>All committed changes since it was last asked, in the order in which they were made.</summary>
    public IReadOnlyList<AuditRow> TakeAll()
    {
        AuditRow[] rows = [.. _rows];
        _rows.Clear();
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
        _blockers.Dispose();
        _connection.Dispose();
        _source.Dispose();
    }
}
