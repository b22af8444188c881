using System.Diagnostics;
using System.Globalization;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;

namespace Actors.Benchmarks.Idle;

/// <summary>One silo that waits, and what that costs.</summary>
internal sealed class IdleSilo
{
    /// <summary>
    /// Both ways in which Orleans reads a range. The bytes are those of the values as they are sent: two texts, a time,
    /// a period and a version.
    /// </summary>
    private const string Reads =
        """
        SELECT s.calls, round(s.rows / s.calls)::bigint, round(s.blocks / s.calls)::bigint,
               round(s.rows / s.calls * coalesce(r.width, 0))::bigint, s.milliseconds / s.calls
        FROM (
          SELECT coalesce(nullif(sum(calls), 0), 1)::bigint AS calls, coalesce(sum(rows), 0) AS rows,
                 coalesce(sum(shared_blks_hit + shared_blks_read), 0) AS blocks,
                 coalesce(sum(total_exec_time), 0)::double precision AS milliseconds
          FROM pg_stat_statements
          WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND query LIKE '%FROM orleans.reminders%grain_hash > %') AS s,
          (SELECT avg(octet_length(grain_id) + octet_length(reminder_name) + 20) AS width FROM orleans.reminders) AS r
        """;

    private const string ExecutionTime =
        """
        SELECT coalesce(sum(total_exec_time), 0)::double precision FROM pg_stat_statements
        WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND userid = 'actors_silo'::regrole
        """;

    private readonly ActorsProcess _silo;
    private readonly BenchmarkDatabase _database;
    private readonly TimeSpan _before;
    private readonly double _executedBefore;
    private readonly long _started = Stopwatch.GetTimestamp();
    private double _share;
    private double _databaseShare;
    private (long Now, long AtMost) _memory;

    private IdleSilo(string name, ActorsProcess silo, BenchmarkDatabase database, double executed)
    {
        (Name, _silo, _database, _executedBefore) = (name, silo, database, executed);
        _before = silo.Processor;
    }

    public string Name { get; }

    public static async Task<IdleSilo> BeginAsync(string name, ActorsProcess silo, BenchmarkDatabase database) =>
        new(name, silo, database, await database.ReadAsync<double>(ExecutionTime));

    public async Task EndAsync()
    {
        var elapsed = Stopwatch.GetElapsedTime(_started);
        _share = (_silo.Processor - _before) / elapsed;
        _memory = await _silo.MemoryAsync();
        var executed = await _database.ReadAsync<double>(ExecutionTime) - _executedBefore;
        _databaseShare = executed / elapsed.TotalMilliseconds;
    }

    public string[] Row(IdleSilo empty) =>
    [
        Name,
        Megabytes(_memory.Now),
        Megabytes(_memory.AtMost),
        Percent(_share),
        this == empty ? "" : Percent(_share - empty._share),
        Percent(_databaseShare),
    ];

    public async Task<string[]> ReadsAsync()
    {
        await using var source = _database.Open();
        await using var command = source.CreateCommand(Reads);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return
        [
            Name,
            Number(reader.GetInt64(0)),
            Number(reader.GetInt64(1)),
            Number(reader.GetInt64(2)),
            Megabytes(reader.GetInt64(3)),
            Measured.Of(TimeSpan.FromMilliseconds(reader.GetDouble(4))),
        ];
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.00} %");
}
