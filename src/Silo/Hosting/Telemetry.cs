using Actors.Grains;
using Microsoft.Extensions.Logging.Console;
using Npgsql;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Actors.Silo.Hosting;

/// <summary>
/// Traces from a request or a tick through the batch to its SQL, metrics, and logs with the trace id. What is told is
/// <see cref="GrainTelemetry"/>'s, Orleans', ASP.NET's and Npgsql's to say; here is where it goes.
/// </summary>
internal static class Telemetry
{
    private const string ServiceName = "actors";
    private const string MetricsAddress = "/metrics";

    public static void AddActorsTelemetry(this IServiceCollection services, TelemetrySettings settings)
    {
        if (!settings.ToCollector && !settings.ServesMetrics) return;
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(ServiceName))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(GrainTelemetry.Name, "Microsoft.Orleans", "Npgsql")
                    .AddMeter("Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.RateLimiting", "System.Runtime");
                if (settings.ToCollector) metrics.AddOtlpExporter();
                if (settings.ServesMetrics) metrics.AddPrometheusExporter();
            })
            .WithTracing(traces =>
            {
                if (!settings.ToCollector) return;
                traces.AddSource(
                        GrainTelemetry.Name, "Microsoft.Orleans.Runtime", "Microsoft.Orleans.Application")
                    .AddAspNetCoreInstrumentation(requests => requests.Filter = IsWorthATrace)
                    .AddNpgsql()
                    .AddOtlpExporter();
            });
    }

    /// <summary>Lets a trace follow its calls from grain to grain, where somebody collects traces.</summary>
    public static ISiloBuilder TracesCalls(this ISiloBuilder silo, TelemetrySettings settings) =>
        settings.ToCollector ? silo.AddActivityPropagation() : silo;

    /// <inheritdoc cref="TracesCalls(ISiloBuilder, TelemetrySettings)"/>
    public static IClientBuilder TracesCalls(this IClientBuilder client, TelemetrySettings settings) =>
        settings.ToCollector ? client.AddActivityPropagation() : client;

    public static void MapActorsMetrics(this WebApplication app, TelemetrySettings settings)
    {
        if (settings.ServesMetrics) app.MapPrometheusScrapingEndpoint(MetricsAddress).AllowAnonymous();
    }

    public static void AddActorsLogging(this ILoggingBuilder logging, TelemetrySettings settings)
    {
        logging.ClearProviders();
        // The trace and the span that a line belongs to, for what is sent and for JSON; lines show the trace.
        logging.Configure(options => options.ActivityTrackingOptions =
            ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
        if (settings.ToCollector)
        {
            logging.AddOpenTelemetry(sent =>
            {
                sent.IncludeFormattedMessage = true;
                sent.AddOtlpExporter();
            });
        }

        if (settings.LogsAsJson)
        {
            logging.AddJsonConsole(json =>
            {
                json.UseUtcTimestamp = true;
                json.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
                json.IncludeScopes = true;
            });
        }
        else
        {
            logging.AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>();
            logging.AddConsole(console => console.FormatterName = LineFormatter.FormatterName);
        }

        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddFilter("Orleans", LogLevel.Error);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Polly", LogLevel.Warning);
        // Of an issuer that does not tell its keys, whoever fetches them tells.
        logging.AddFilter("Microsoft.AspNetCore.Authentication.JwtBearer", LogLevel.Critical);
        // What the readiness answer says, what every caller without a key brings about, and a feature nobody uses yet.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.Critical);
        logging.AddFilter("Actors.Api.Access", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }

    // Probes come every few seconds and tell nothing.
    private static bool IsWorthATrace(HttpContext request) =>
        !request.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal)
        && request.Request.Path != MetricsAddress;
}
