using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Actors.Api.Health;

/// <summary>The answer of `/health/live`.</summary>
/// <param name="Status">Always `live`.</param>
public sealed record LiveAnswer(string Status);

/// <summary>The answer of `/health/ready`.</summary>
/// <param name="Status">`ready` or `notReady`.</param>
/// <param name="Checks">Every check, in the order of names.</param>
public sealed record ReadyAnswer(string Status, IReadOnlyList<CheckAnswer> Checks)
{
    public static ReadyAnswer From(HealthReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return new ReadyAnswer(
            report.Status == HealthStatus.Unhealthy ? "notReady" : "ready",
            [.. report.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(CheckAnswer.From)]);
    }
}

/// <summary>One readiness check.</summary>
/// <param name="Name">What was checked.</param>
/// <param name="Status">`healthy`, `degraded` (ready all the same) or `unhealthy`.</param>
/// <param name="Message">The same in a sentence.</param>
public sealed record CheckAnswer(string Name, string Status, string Message)
{
    internal static CheckAnswer From(KeyValuePair<string, HealthReportEntry> check)
    {
        var (name, entry) = check;
        var status = entry.Status switch
        {
            HealthStatus.Healthy => "healthy",
            HealthStatus.Degraded => "degraded",
            _ => "unhealthy",
        };

        // The framework describes a check that threw by the exception's message, which may name hosts and logins.
        var threw = entry.Exception is not null && entry.Description == entry.Exception.Message;
        return new CheckAnswer(name, status, threw || entry.Description is null
            ? $"The check '{name}' is {status}; the server's log tells more."
            : entry.Description);
    }
}
