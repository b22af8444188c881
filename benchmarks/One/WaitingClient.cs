using Actors.Benchmarks.Databases;
using NodaTime;
using Npgsql;

namespace Actors.Benchmarks.One;

/// <summary>
/// What a program does that knows one cutoff after the other: waits for the instant, and sends one agency's UPDATE.
/// </summary>
internal sealed class WaitingClient : IAsyncDisposable
{
    private const string Mark =
        """
        UPDATE installments i SET status = 'overdue' FROM payment_plans pp
        WHERE i.payment_plan_id = pp.id AND pp.agency_id = $1 AND pp.status = 'active'
          AND i.status = 'pending' AND i.student_due_date <= $2
        """;

    private readonly BenchmarkDatabase _database;
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlConnection _connection;
    private readonly NpgsqlCommand _mark;

    private WaitingClient(BenchmarkDatabase database, NpgsqlDataSource source, NpgsqlConnection connection)
    {
        (_database, _source, _connection) = (database, source, connection);
        _mark = new NpgsqlCommand(Mark, connection)
        {
            Parameters = { new NpgsqlParameter<Guid>(), new NpgsqlParameter<LocalDate>() },
        };
    }

    public static async Task<WaitingClient> OpenAsync(BenchmarkDatabase database)
    {
        var source = database.Open();
        var client = new WaitingClient(database, source, await source.OpenConnectionAsync());
        await client._mark.PrepareAsync();
        return client;
    }

    /// <summary>Marks one agency at each instant; answers how long after it each answer was there.</summary>
    public async Task<IReadOnlyList<TimeSpan>> MarkAllAsync(CutoffsInTurn cutoffs, CancellationToken cancellationToken)
    {
        var agencies = await _database.ReadAsync<Guid[]>(
            "SELECT array_agg(agency_id ORDER BY at) FROM cutoffs_in_turn");
        var times = new List<TimeSpan>();
        for (var place = 0; place < cutoffs.Count; place++)
        {
            var at = cutoffs.At(place);
            while (at - Now() is var left && left > Duration.Zero)
            {
                await Task.Delay(
                    TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), TimeProvider.System,
                    cancellationToken);
            }

            _mark.Parameters[0].Value = agencies[place];
            _mark.Parameters[1].Value = at.InUtc().Date;
            await _mark.ExecuteNonQueryAsync(CancellationToken.None);
            times.Add((Now() - at).ToTimeSpan());
        }

        return times;
    }

    /// <summary>How long after its instant each was committed, in seconds.</summary>
    public Task<double[]> CommitsAsync(CutoffsInTurn cutoffs) => _database.ReadAsync<double[]>(
        """
        SELECT array_agg(extract(epoch FROM committed_at - at)::double precision)
        FROM cutoffs_in_turn t
        CROSS JOIN LATERAL (
          SELECT max(pg_xact_commit_timestamp(i.xmin)) AS committed_at
          FROM payment_plans p JOIN installments i ON i.payment_plan_id = p.id
          WHERE p.agency_id = t.agency_id AND i.status = 'overdue') AS marked
        WHERE at >= @first
        """,
        ("first", cutoffs.First));

    public async ValueTask DisposeAsync()
    {
        await _mark.DisposeAsync();
        await _connection.DisposeAsync();
        await _source.DisposeAsync();
    }

    private static Instant Now() => Instant.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
}
