using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;
using NodaTime;
using Npgsql;

namespace Actors.Benchmarks.Burst;

/// <summary>
/// The job that a scheduler runs for each agency: the original's update of one agency, in a transaction of its own.
/// Counts the commits, and knows when the last one came.
/// </summary>
internal sealed class AgencyJob(BenchmarkDatabase database, int expected, Instant cutoff) : IAsyncDisposable
{
    private const string Mark =
        """
        UPDATE installments i SET status = 'overdue' FROM payment_plans pp
        WHERE i.payment_plan_id = pp.id AND pp.agency_id = @agency AND pp.status = 'active'
          AND i.status = 'pending' AND i.student_due_date <= @date
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    private readonly NpgsqlDataSource _source = database.Open(connections: 16);
    private readonly TaskCompletionSource<Instant> _last = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _done;

    /// <summary>Schedulers make their jobs themselves, so it is found here.</summary>
    public static AgencyJob Current { get; set; } = null!;

    /// <summary>Every agency of the database.</summary>
    public static async Task<Guid[]> AgenciesAsync(BenchmarkDatabase database) =>
        await database.ReadAsync<Guid[]>("SELECT array_agg(id) FROM agencies");

    public async Task MarkAsync(Guid agency)
    {
        await using (var command = _source.CreateCommand(Mark))
        {
            command.Parameters.AddWithValue("agency", agency);
            command.Parameters.AddWithValue("date", cutoff.InUtc().Date);
            await command.ExecuteNonQueryAsync();
        }

        if (Interlocked.Increment(ref _done) == expected) _last.SetResult(SystemNow());
    }

    /// <summary>From the cutoff to the last commit.</summary>
    /// <exception cref="CutoffCameTooSoonException">It did not begin before the cutoff.</exception>
    public async Task<TimeSpan> AllDoneAsync()
    {
        if (SystemNow() >= cutoff) throw new CutoffCameTooSoonException();
        return (await _last.Task.WaitAsync(Limit) - cutoff).ToTimeSpan();
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static Instant SystemNow() => Instant.FromDateTimeOffset(TimeProvider.System.GetUtcNow());
}
