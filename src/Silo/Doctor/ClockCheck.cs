using System.Globalization;
using NodaTime;
using Npgsql;

namespace Actors.Silo.Doctor;

/// <summary>
/// How far this machine's clock is from the database's. The database's decides what has passed, so a difference marks
/// nothing too early; but reminders tick by the silo's clock, and then come early or late.
/// </summary>
internal static class ClockCheck
{
    private const string Subject = "clock";

    /// <summary>A reminder that ticks up to 5 s early still waits for its cutoff.</summary>
    private static readonly Duration Noticeable = Duration.FromSeconds(2);

    private static readonly Duration Harmful = Duration.FromSeconds(10);

    /// <summary>The quickest of these round trips tells most; the first one also opens the connection.</summary>
    private const int Attempts = 5;

    public static async Task<Finding> RunAsync(
        NpgsqlDataSource database, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var (ahead, roundTrip) = (Duration.Zero, Duration.MaxValue);
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var measured = await MeasureAsync(connection, time, cancellationToken);
            if (measured.RoundTrip < roundTrip) (ahead, roundTrip) = measured;
        }

        return Judge(ahead, roundTrip);
    }

    private static async Task<(Duration Ahead, Duration RoundTrip)> MeasureAsync(
        NpgsqlConnection connection, TimeProvider time, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT clock_timestamp()", connection);
        var asked = Instant.FromDateTimeOffset(time.GetUtcNow());
        var start = TimeProvider.System.GetTimestamp();
        var answer = (Instant)(await command.ExecuteScalarAsync(cancellationToken))!;
        var roundTrip = Duration.FromTimeSpan(TimeProvider.System.GetElapsedTime(start));
        // The database read its clock somewhere between question and answer; half way is off by half of it at most.
        return (asked + (roundTrip / 2) - answer, roundTrip);
    }

    private static Finding Judge(Duration ahead, Duration roundTrip)
    {
        var size = ahead < Duration.Zero ? -ahead : ahead;
        var direction = ahead < Duration.Zero ? "behind" : "ahead of";
        var sentence = $"This machine's is {Seconds(size)} s {direction} the database's (measured to "
            + $"{Seconds(roundTrip / 2)} s)";
        if (size <= Noticeable) return Finding.Ok(Subject, $"{sentence}.");
        var advice = $"{sentence}. The database's decides, and reminders tick by this one's: set both machines by NTP "
            + "(timedatectl shows whether they are).";
        return size <= Harmful ? Finding.Warning(Subject, advice) : Finding.Problem(Subject, advice);
    }

    private static string Seconds(Duration duration) =>
        duration.TotalSeconds.ToString(
            duration < Duration.FromSeconds(10) ? "0.000" : "0", CultureInfo.InvariantCulture);
}
