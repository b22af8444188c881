using Actors.Grains;
using Actors.Grains.Cutoffs;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Actors.Tests.Integration.Rule;

/// <summary>What one path answered, and the tables as it left them, line by line.</summary>
internal sealed record PathResult(
    IReadOnlyDictionary<Guid, int> Marked, IReadOnlyList<string> Tables, IReadOnlyList<string> Next);

/// <summary>A database in which the same data go the one path, are rolled back, and go the other.</summary>
internal sealed class TwoPaths : IAsyncDisposable
{
    /// <summary>All but what tells the paths apart by design: trigger, run, tz release, and the next cutoff.</summary>
    private const string TablesSql =
        """
        SELECT format('installment %s %s', id, status) FROM installments
        UNION ALL
        SELECT format('run %s %s at %s serves %s, late by %s, %s %s [%s] under %s %s %s %s, from %s to %s',
          agency_id, cutoff_date, cutoff_at, serves_cutoff, extract(epoch FROM late_by), status, records_updated,
          (SELECT string_agg(i::text, ' ' ORDER BY i) FROM unnest(installment_ids) AS i), timezone, overdue_cutoff_time,
          resolution, error_message, started_at, completed_at)
        FROM agency_runs
        UNION ALL
        SELECT format('watermark %s %s at %s, settings of %s, paused %s, aside %s, failed %s %s', agency_id,
          last_cutoff_date, last_cutoff_at, settings_changed_at, paused_at, set_aside_until, failed_attempts,
          last_error)
        FROM agency_cutoffs
        UNION ALL
        SELECT format('alert %s %s of %s: %s %s, resolved %s', severity, dedup_key, agency_id, message, details,
          resolved_at)
        FROM alerts
        UNION ALL
        SELECT format('job %s to %s %s %s %s %s', started_at, completed_at, status, records_updated, error_message,
          metadata - 'trigger')
        FROM jobs_log WHERE (metadata ->> 'agencies_total')::int > 0
        ORDER BY 1
        """;

    private const string NextSql =
        "SELECT format('%s %s %s', agency_id, next_cutoff_date, next_cutoff_at) FROM agency_cutoffs ORDER BY 1";

    private readonly RuleDatabase database;
    private readonly NpgsqlDataSource silo;

    private TwoPaths(RuleDatabase database)
    {
        this.database = database;
        silo = GrainDatabase.Connect(database.SiloConnectionString);
    }

    public static async Task<TwoPaths> CreateAsync(IReadOnlyList<string> zones)
    {
        var database = await RuleDatabase.CreateAsync();
        await database.ExecuteAsync(
            "INSERT INTO supported_timezones SELECT unnest($1) ON CONFLICT DO NOTHING", [zones.ToArray()]);
        return new TwoPaths(database);
    }

    /// <summary>Puts the data in; they stay until <see cref="ClearAsync"/>.</summary>
    public Task FillAsync(RandomDataSet data) => RandomDataRows.FillAsync(database.Owner, data);

    public Task ClearAsync() => database.ExecuteAsync(
        "DELETE FROM agencies; DELETE FROM agency_runs; DELETE FROM jobs_log; DELETE FROM alerts");

    /// <summary>`update_installment_statuses()` with a clock of ours, and all that it did taken back.</summary>
    public async Task<PathResult> ThroughSqlAsync(RandomDataSet data)
    {
        await using var connection = await database.Owner.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var serve = new NpgsqlCommand(
            "SELECT agency_id, updated_count FROM serve_cutoffs_in_sql($1::timestamptz, $2)", connection)
        {
            Parameters = { new() { Value = RandomDataSet.Text(data.Now) }, new() { Value = data.Asked } },
        };
        var marked = new Dictionary<Guid, int>();
        await using (var reader = await serve.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync()) marked.Add(reader.GetGuid(0), reader.GetInt32(1));
        }

        return new PathResult(marked, await LinesAsync(connection, TablesSql), await LinesAsync(connection, NextSql));
    }

    /// <summary>The silo's marker, as its agency grains ask it, wave after wave.</summary>
    public async Task<PathResult> ThroughMarkerAsync(RandomDataSet data)
    {
        var clock = DatabaseClock.ReplacedBy(new FakeTimeProvider(data.Now.ToDateTimeOffset()));
        var grainDatabase = new GrainDatabase(silo, clock);
        var jobsLog = new JobsLog(grainDatabase);
        // What runs here is closed by whoever started it, so the marker has no grain to tell that it may be done.
        using var marker = new InstallmentMarker(
            grainDatabase, jobsLog, new LastWrites(), grains: null!,
            new GrainOptions { DatesPerTransaction = data.DatesPerWave, MarkingWorkers = 1 },
            NullLogger<InstallmentMarker>.Instance);
        await marker.StartAsync(CancellationToken.None);
        var request = new RunRequest(data.Asked ? RunTrigger.Api : RunTrigger.CatchUp);
        var served = await Task.WhenAll(data.Agencies.Select(agency => BringUpToDateAsync(marker, agency.id, request)));
        await marker.StopAsync(CancellationToken.None);
        var (limit, patience) = (TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(2));
        foreach (var job in served.SelectMany(one => one.Jobs).Distinct())
            await jobsLog.CloseAsync(job, limit, [], patience, CancellationToken.None);

        await using var connection = await database.Owner.OpenConnectionAsync();
        return new PathResult(
            served.Where(one => one.Served.Count > 0)
                .ToDictionary(one => one.Agency, one => one.Served.Sum(row => row.RecordsUpdated)),
            await LinesAsync(connection, TablesSql),
            await LinesAsync(connection, NextSql));
    }

    public async ValueTask DisposeAsync()
    {
        await silo.DisposeAsync();
        await database.DisposeAsync();
    }

    private static async Task<(Guid Agency, List<ServedCutoff> Served, List<JobId> Jobs)> BringUpToDateAsync(
        InstallmentMarker marker, Guid agency, RunRequest request)
    {
        var served = new List<ServedCutoff>();
        var jobs = new List<JobId>();
        MarkingAnswer answer;
        do
        {
            answer = await marker.BringUpToDateAsync(new AgencyId(agency), request);
            served.AddRange(answer.Served);
            if (answer.Job is { } job) jobs.Add(job);
        }
        while (answer.More);

        return (agency, served, jobs);
    }

    private static async Task<IReadOnlyList<string>> LinesAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync()) lines.Add(reader.GetString(0));
        return lines;
    }
}
