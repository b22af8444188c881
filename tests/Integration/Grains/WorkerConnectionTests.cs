using Actors.Grains;
using Actors.Grains.Cutoffs;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Actors.Grains.Jobs;
using Actors.Tests.Integration.Rule;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// One worker, an agency to a batch, and a pool whose connections have all been used: which of PostgreSQL's processes
/// do the work? A trigger notes them.
/// </summary>
public sealed class WorkerConnectionTests : IAsyncLifetime
{
    private const int Agencies = 6;
    private const int SomeConnections = 4;
    private const int AllConnections = 16;

    private RuleDatabase? _database;
    private NpgsqlDataSource? _silo;

    public async ValueTask InitializeAsync()
    {
        _database = await RuleDatabase.CreateAsync();
        _silo = GrainDatabase.Connect(_database.SiloConnectionString);
        await _database.ExecuteAsync(
            """
            CREATE TABLE served (number serial, agency_id uuid, session integer);
            GRANT SELECT, INSERT ON served TO actors_silo;
            GRANT USAGE ON SEQUENCE served_number_seq TO actors_silo;
            CREATE FUNCTION note_session() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF EXISTS (SELECT FROM agencies WHERE id = NEW.agency_id AND name = 'spoilt') THEN
                RAISE 'the connection is lost' USING ERRCODE = '57P01';
              END IF;
              INSERT INTO served (agency_id, session) VALUES (NEW.agency_id, pg_backend_pid());
              RETURN NEW;
            END $$;
            CREATE TRIGGER note_session BEFORE INSERT ON agency_runs FOR EACH ROW EXECUTE FUNCTION note_session();
            """);
        await UseAsync(SomeConnections);
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null) await _silo.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
    }

    [Fact]
    public async Task Batch_after_batch_runs_on_one_connection_while_agencies_wait()
    {
        var agencies = await AddAgenciesAsync(Agencies);

        var answers = await MarkAsync(agencies);

        Assert.All(answers, answer => Assert.True(answer.IsCompletedSuccessfully));
        Assert.Equal(
            agencies.Select(agency => $"{agency}"),
            await _database!.LinesAsync("SELECT agency_id::text FROM served ORDER BY number"));
        Assert.Single(await _database.LinesAsync("SELECT DISTINCT session::text FROM served"));
    }

    [Fact]
    public async Task A_worker_whose_connection_is_lost_takes_another_for_the_next_batch()
    {
        var agencies = await AddAgenciesAsync(4);
        await _database!.ExecuteAsync("UPDATE agencies SET name = 'spoilt' WHERE id = $1", agencies[1]);

        var answers = await MarkAsync(agencies);

        Assert.Equal([true, false, true, true], answers.Select(answer => answer.IsCompletedSuccessfully));
        var sessions = await _database.LinesAsync("SELECT session::text FROM served ORDER BY number");
        Assert.Equal(3, sessions.Count);
        Assert.NotEqual(sessions[0], sessions[1]);
        Assert.Equal(sessions[1], sessions[2]);
    }

    [Fact]
    public async Task A_worker_keeps_no_connection_when_nobody_waits()
    {
        using var marker = NewMarker();
        var agencies = await AddAgenciesAsync(Agencies);
        await marker.StartAsync(CancellationToken.None);
        await Task.WhenAll(Begin(marker, agencies));

        await UseAsync(AllConnections);

        await marker.StopAsync(CancellationToken.None);
    }

    /// <summary>All are asked for before the worker begins.</summary>
    private async Task<Task<MarkingAnswer>[]> MarkAsync(IEnumerable<Guid> agencies)
    {
        using var marker = NewMarker();
        var answers = Begin(marker, agencies);
        await marker.StartAsync(CancellationToken.None);
        await Task.WhenAll(answers).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await marker.StopAsync(CancellationToken.None);
        return answers;
    }

    private static Task<MarkingAnswer>[] Begin(InstallmentMarker marker, IEnumerable<Guid> agencies) =>
        [.. agencies.Select(agency =>
            marker.BringUpToDateAsync(new AgencyId(agency), new RunRequest(RunTrigger.Reminder)))];

    private InstallmentMarker NewMarker()
    {
        var database = new GrainDatabase(_silo!, DatabaseClock.OfPostgres);
        // There is no coordinator to tell that a run may be done; the marker logs that.
        return new InstallmentMarker(
            database, new JobsLog(database), new LastWrites(), grains: null!,
            new GrainOptions { BatchSize = 1, MarkingWorkers = 1 }, NullLogger<InstallmentMarker>.Instance);
    }

    /// <summary>Uses so many connections of the silo's pool at once; waits 10 s for each, then throws.</summary>
    private async Task UseAsync(int connections)
    {
        var open = new List<NpgsqlConnection>();
        for (var i = 0; i < connections; i++) open.Add(await _silo!.OpenConnectionAsync());
        foreach (var connection in open) await connection.DisposeAsync();
    }

    private async Task<List<Guid>> AddAgenciesAsync(int count)
    {
        var agencies = new List<Guid>();
        for (var number = 1; number <= count; number++) agencies.Add(await _database!.AddAgencyAsync(number));
        return agencies;
    }
}
