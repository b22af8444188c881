using System.CommandLine;
using Actors.Grains;
using Actors.Silo.CommandLine.Serving;
using Actors.Silo.Database;
using Actors.Silo.Hosting;
using Actors.Silo.Migrations;
using Actors.Silo.Sample;
using NodaTime;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `./actors up`: database, migrations, silo and API in one process, until Ctrl-C or SIGTERM. A kill at any moment
/// leaves nothing that the next `up` stumbles over.
/// </summary>
public static class UpCommand
{
    public static Command Create(GlobalOptions options)
    {
        var http = new HttpPlaceOptions("API and silo are bound to and advertise", HttpPlaceOptions.ApiPort);
        var noSample = new Option<bool>("--no-sample")
        {
            Description = "Leave an empty database empty; by default a small sample is loaded into it.",
        };
        var pooler = PoolerOption.Create();
        var command = new Command("up", "Run everything: database, migrations, silo and API, until Ctrl-C.")
        {
            http.Port,
            http.Bind,
            pooler,
            noSample,
            options.ApiDatabase,
        };
        command.SetAction((arguments, cancellationToken) => RunAsync(
            options, arguments, http, pooler, !arguments.GetValue(noSample), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        GlobalOptions options, ParseResult arguments, HttpPlaceOptions http, Option<string?> pooler, bool withSample,
        CancellationToken cancellationToken)
    {
        var output = arguments.InvocationConfiguration.Output;
        var access = AccessVariables.Read(Environment.GetEnvironmentVariable);
        var place = http.Find(arguments);
        var names = ClusterNames.FromEnvironment();
        var between = PoolerOption.Find(pooler, arguments);
        await using (var database = await CommandDatabase.OpenAsync(
            options, arguments, EmbeddedPurpose.Serve, cancellationToken))
        {
            await output.WriteLineAsync(ServingDatabase.Describe(database));
            await PrepareAsync(database, withSample, output, cancellationToken);
            using var ports = PortReservation.Find(place.Address);
            var app = ActorsHost.Build(new SiloSettings
            {
                SiloConnectionString = database.SiloConnectionString,
                ApiConnectionString = database.ApiConnectionString,
                Access = access,
                Address = place.Address,
                HttpPort = place.Port,
                Ports = ports.Ports,
                ClusterId = names.ClusterId,
                ServiceId = names.ServiceId,
                Pooler = between,
                Telemetry = TelemetrySettings.FromEnvironment(),
                IsAlone = database.Embedded is { IsSoleUser: true },
            });
            await ServedHost.RunAsync(
                app, place, "The silo", address => database.Embedded?.Announce(address), output, cancellationToken);
        }

        await output.WriteLineAsync("Stopped.");
        return (int)ExitCode.Ok;
    }

    /// <summary>Schema, logins and sample, so that a silo can start.</summary>
    private static async Task PrepareAsync(
        CommandDatabase database, bool withSample, TextWriter output, CancellationToken cancellationToken)
    {
        var runner = new MigrationRunner(database.OwnerConnectionString);
        if ((await runner.InspectAsync(cancellationToken)).SchemaProblem is null)
        {
            await output.WriteLineAsync("Schema: current.");
        }
        else
        {
            var applied = await runner.UpAsync(cancellationToken: cancellationToken);
            await output.WriteLineAsync(Line($"Schema: {applied.Count} migrations applied."));
            foreach (var warning in applied.SelectMany(migration => migration.Warnings))
                await output.WriteLineAsync($"  {warning}");
            await runner.VerifyAsync(cancellationToken);
        }

        await database.EnsureLoginPasswordsAsync(cancellationToken);
        if (withSample) await LoadSampleAsync(database.OwnerConnectionString, output, cancellationToken);
    }

    private static async Task LoadSampleAsync(
        string connectionString, TextWriter output, CancellationToken cancellationToken)
    {
        Instant now;
        await using (var source = GrainDatabase.Connect(connectionString, "actors-up"))
        await using (var command = source.CreateCommand("SELECT clock_timestamp()"))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            now = reader.GetFieldValue<Instant>(0);
        }

        if (await SampleLoader.LoadAsync(connectionString, now, cancellationToken) is not { } results) return;
        await output.WriteLineAsync("Sample: the database had no agency, so a few were made up (--no-sample: none).");
        foreach (var line in results.SelectMany(result => result.Describe())) await output.WriteLineAsync($"  {line}");
        await output.WriteLineAsync("  Two of them have their cutoff in one and in two minutes: watch the log below.");
    }

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
