using System.Diagnostics;
using Actors.Benchmarks.Measuring;
using Npgsql;

namespace Actors.Benchmarks.Databases;

/// <summary>One statement that marks everything, as a person would run it with psql.</summary>
internal static class Statement
{
    /// <summary>The least that can be done: what is due becomes overdue, and nothing is written down.</summary>
    public const string MarkAll =
        """
        UPDATE installments i SET status = 'overdue' FROM payment_plans p
        WHERE i.payment_plan_id = p.id AND p.status = 'active' AND i.status = 'pending'
          AND i.student_due_date <= (clock_timestamp() AT TIME ZONE 'UTC')::date
        """;

    /// <summary>What Actors replaces; it is there once its definition has been run.</summary>
    public const string Original = "SELECT count(*) FROM original.update_installment_statuses()";

    /// <summary>The file of the original's definition.</summary>
    public const string OriginalDefinition = "original_update_installment_statuses.sql";

    /// <summary>Runs it once, with its commit.</summary>
    public static async Task<Sample> MeasureAsync(BenchmarkDatabase database, string sql)
    {
        await using var source = database.Open();
        await using var connection = await source.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        var meter = await Meter.StartAsync(database);
        var started = Stopwatch.GetTimestamp();
        await command.ExecuteNonQueryAsync();
        var time = Stopwatch.GetElapsedTime(started);
        var cost = await meter.ReadAsync();
        return new Sample(time, await Marked.CountAsync(database), cost);
    }
}
