using Actors.Benchmarks.Databases;
using NodaTime;
using Npgsql;

namespace Actors.Benchmarks.Days;

/// <summary>What the application does from day to day, and what it sees of the burst.</summary>
internal sealed class DaysWork(BenchmarkDatabase database) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _look = database.Open(connections: 1);

    /// <summary>So many days before it is due, an installment is made.</summary>
    public const int Horizon = 10;

    /// <summary>Each plan has an installment for each day up to the horizon.</summary>
    public Task FillAsync(LocalDate first) => database.ExecuteAsync(
        """
        INSERT INTO installments (payment_plan_id, amount, student_due_date)
        SELECT p.id, 100, @first + n FROM payment_plans p, generate_series(0, @horizon - 1) AS n
        """,
        ("first", first), ("horizon", Horizon));

    /// <summary>
    /// Pays half of what is due on this date, and all that was marked before; makes what is due at the horizon.
    /// </summary>
    public async Task LiveAsync(LocalDate today)
    {
        await database.ExecuteAsync("UPDATE installments SET status = 'paid' WHERE status = 'overdue'");
        await database.ExecuteAsync(
            """
            UPDATE installments SET status = 'paid'
            WHERE status = 'pending' AND student_due_date = @today AND hashtext(id::text) % 2 = 0
            """,
            ("today", today));
        await database.ExecuteAsync(
            """
            INSERT INTO installments (payment_plan_id, amount, student_due_date)
            SELECT id, 100, @due FROM payment_plans
            """,
            ("due", today.PlusDays(Horizon)));
    }

    /// <summary>Whether the run of this instant is closed; asked over one connection, again and again.</summary>
    public async Task<bool> IsClosedAsync(Instant cutoff)
    {
        await using var command = _look.CreateCommand(
            "SELECT EXISTS (SELECT FROM jobs_log WHERE started_at = @cutoff AND status <> 'running')");
        command.Parameters.AddWithValue("cutoff", cutoff);
        return (bool)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>How many the burst marked, once it is known that it did all it promises.</summary>
    public async Task<long> MarkedAsync(Instant cutoff, int agencies)
    {
        var date = cutoff.InUtc().Date;
        var wrong = await database.ReadAsync<string>(
            """
            SELECT concat_ws('; ',
              CASE WHEN count(*) <> @agencies THEN count(*) || ' rows in agency_runs' END,
              CASE WHEN count(*) FILTER (WHERE trigger <> 'reminder') > 0 THEN 'not all by reminders' END,
              CASE WHEN EXISTS (SELECT FROM installments WHERE status = 'pending' AND student_due_date <= @date)
                THEN 'installments left' END)
            FROM agency_runs WHERE cutoff_at = @cutoff AND cutoff_date = @date AND serves_cutoff AND status = 'success'
            """,
            ("cutoff", cutoff), ("date", date), ("agencies", (long)agencies));
        if (wrong.Length > 0) throw new InvalidOperationException($"The burst of {date} was not whole: {wrong}.");
        return await database.ReadAsync<long>(
            "SELECT count(*) FROM installments WHERE status = 'overdue' AND student_due_date = @date", ("date", date));
    }

    public ValueTask DisposeAsync() => _look.DisposeAsync();
}
