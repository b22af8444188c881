using System.Globalization;
using Actors.Api.Health;
using Actors.Grains;
using Actors.Silo.CommandLine;
using Actors.Silo.Doctor;
using Actors.Silo.Migrations;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Actors.Silo.Hosting;

/// <summary>Whether this silo is an active member of its cluster.</summary>
internal sealed class SiloIsActive(ISiloStatusOracle oracle) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(oracle.CurrentStatus == SiloStatus.Active
            ? HealthCheckResult.Healthy("The silo is an active member of its cluster.")
            : HealthCheckResult.Unhealthy($"The silo is not active in its cluster: {oracle.CurrentStatus}."));
}

/// <summary>
/// Whether this machine's clock agrees with the database's. Where it does not, nothing is marked early, and cutoffs are
/// served some seconds late rather than by their reminders: worth a word, but the silo is ready.
/// </summary>
internal sealed class ClockAgrees(NpgsqlDataSource database, TimeProvider time) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var finding = await ClockCheck.RunAsync(database, time, cancellationToken);
            return finding.Severity == Severity.Ok
                ? HealthCheckResult.Healthy(finding.Sentence)
                : HealthCheckResult.Degraded(finding.Sentence);
        }
        catch (NpgsqlException)
        {
            return HealthCheckResult.Degraded("The clocks were not compared: the database does not answer.");
        }
    }
}

/// <summary>
/// Whether the database takes what is written: it may answer every question with a full disk. A silo that has just
/// failed to write is not ready; where it has not tried since, the last sweep that was committed, by whichever silo,
/// tells.
/// </summary>
internal sealed class WritesSucceed(LastWrites writes, NpgsqlDataSource database) : IHealthCheck
{
    /// <summary>Four sweeps.</summary>
    private static readonly TimeSpan Recent = 4 * new GrainOptions().SweepPeriod;

    private const string SinceLastSweep =
        "SELECT extract(epoch FROM clock_timestamp() - max(swept_at))::double precision FROM sweeps";

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (writes.Failed is { } failed && failed.Ago < Recent)
        {
            return HealthCheckResult.Unhealthy(
                $"The last write failed: {DatabaseFailure.Sentence(failed.Error)}", failed.Error);
        }

        try
        {
            await using var command = database.CreateCommand(SinceLastSweep);
            return await command.ExecuteScalarAsync(cancellationToken) is double seconds
                && seconds > Recent.TotalSeconds
                ? HealthCheckResult.Degraded(string.Create(
                    CultureInfo.InvariantCulture, $"No silo's sweep was committed for {seconds:0} s."))
                : HealthCheckResult.Healthy("What was written last was committed.");
        }
        catch (NpgsqlException)
        {
            return HealthCheckResult.Degraded("The last sweep is not known: the database does not answer.");
        }
    }
}

/// <summary>Whether an API that has no silo in its own process is connected to one.</summary>
internal sealed class SiloIsConnected(SiloConnection silos) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(silos.Gateways > 0
            ? HealthCheckResult.Healthy($"Connected silos: {silos.Gateways}.")
            : HealthCheckResult.Unhealthy("No silo is connected; start one with `actors silo`."));
}

/// <summary>Whether the schema is the one that this version was built for.</summary>
internal sealed class SchemaIsCurrent(SiloSettings settings) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await new MigrationRunner(settings.SiloConnectionString).RequireCurrentAsync(cancellationToken);
            return HealthCheckResult.Healthy("The schema is current.");
        }
        catch (CommandFailure failure) when (failure.Code == ExitCode.SchemaMismatch)
        {
            return HealthCheckResult.Unhealthy(failure.Message);
        }
        catch (CommandFailure)
        {
            return HealthCheckResult.Unhealthy("The schema could not be read.");
        }
    }
}
