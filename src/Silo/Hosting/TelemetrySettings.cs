using Actors.Silo.CommandLine;

namespace Actors.Silo.Hosting;

/// <summary>Where a process tells what it does. By default: lines on standard output, and nothing else.</summary>
public sealed record TelemetrySettings
{
    public const string MetricsVariable = "ACTORS_METRICS";
    public const string LogVariable = "ACTORS_LOG";

    /// <summary>OpenTelemetry's own name for the collector's address; its other variables hold as well.</summary>
    public const string CollectorVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Whether traces, metrics and logs are sent to a collector (OTLP).</summary>
    public bool ToCollector { get; init; }

    /// <summary>Whether `/metrics` answers Prometheus. It tells counts and times and no names, and needs no
    /// key.</summary>
    public bool ServesMetrics { get; init; }

    /// <summary>Whether log lines are JSON objects, for programs that collect them.</summary>
    public bool LogsAsJson { get; init; }

    /// <summary>What the environment says.</summary>
    /// <exception cref="CommandFailure">A variable has a value that is none; the message says which and what
    /// is.</exception>
    public static TelemetrySettings FromEnvironment() => From(Environment.GetEnvironmentVariable);

    internal static TelemetrySettings From(Func<string, string?> variable) => new()
    {
        ToCollector = AddressIn(CollectorVariable, variable(CollectorVariable)),
        ServesMetrics = Choice(MetricsVariable, variable(MetricsVariable), off: "0", on: "1"),
        LogsAsJson = Choice(LogVariable, variable(LogVariable), off: "lines", on: "json"),
    };

    private static bool Choice(string name, string? value, string off, string on) => value switch
    {
        null or "" => false,
        _ when value == off => false,
        _ when value == on => true,
        _ => throw new CommandFailure(ExitCode.Usage, $"{name} is '{value}'; expected is {off} or {on}."),
    };

    private static bool AddressIn(string name, string? value)
    {
        if (string.IsNullOrWhiteSpace(value)) return false;
        if (Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https") return true;
        throw new CommandFailure(
            ExitCode.Usage, $"{name} is '{value}'; expected is an address such as http://collector:4317.");
    }
}
