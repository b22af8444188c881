using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Actors.Api.Access;
using Actors.Grains;
using Actors.Silo.Database;
using Actors.Silo.Hosting;
using Actors.Silo.Migrations;
using Actors.Silo.Sample;
using NodaTime;
using Npgsql;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `./actors up`: database, migrations, silo and API in one process, until Ctrl-C or SIGTERM. A kill at any moment
/// leaves nothing that the next `up` stumbles over.
/// </summary>
public static class UpCommand
{
    public const string PortVariable = "ACTORS_PORT";
    private const int UsualPort = 8080;

    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    public static Command Create(GlobalOptions options)
    {
        var port = new Option<int?>("--port")
        {
            Description = $"The HTTP port. Default: {PortVariable}, else {UsualPort}, else any that is free.",
            HelpName = "N",
        };
        port.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && PortIn(token.Value) is null)
                result.AddError($"--port is '{token.Value}'; expected is a number from 1 to 65535.");
        });
        var bind = new Option<IPAddress>("--bind")
        {
            Description = "The address of this machine that API and silo are bound to and advertise.",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => IPAddress.Loopback,
            CustomParser = AddressIn,
        };
        var noSample = new Option<bool>("--no-sample")
        {
            Description = "Leave an empty database empty; by default a small sample is loaded into it.",
        };
        var command = new Command("up", "Run everything: database, migrations, silo and API, until Ctrl-C.")
        {
            port,
            bind,
            noSample,
            options.ApiDatabase,
        };
        command.SetAction((arguments, cancellationToken) => RunAsync(
            options, arguments, new Place(arguments.GetRequiredValue(bind), arguments.GetValue(port)),
            !arguments.GetValue(noSample), cancellationToken));
        return command;
    }

    /// <summary>Where to listen.</summary>
    /// <param name="Port">The HTTP port; null when nobody named one, 0 for any that is free.</param>
    private sealed record Place(IPAddress Address, int? Port);

    private static async Task<int> RunAsync(
        GlobalOptions options, ParseResult arguments, Place asked, bool withSample,
        CancellationToken cancellationToken)
    {
        var output = arguments.InvocationConfiguration.Output;
        var access = AccessVariables.Read(Environment.GetEnvironmentVariable);
        var place = Find(asked with { Port = asked.Port ?? PortFromEnvironment() });
        await using (var database = await CommandDatabase.OpenAsync(
            options, arguments, EmbeddedPurpose.Serve, cancellationToken))
        {
            await output.WriteLineAsync(Describe(database));
            await PrepareAsync(database, withSample, output, cancellationToken);
            await ServeAsync(database, place, access, output, cancellationToken);
        }

        await output.WriteLineAsync("Stopped.");
        return (int)ExitCode.Ok;
    }

    /// <summary>Silo and API, from their start until the command is cancelled.</summary>
    private static async Task ServeAsync(
        CommandDatabase database, Place place, AccessSettings access, TextWriter output,
        CancellationToken cancellationToken)
    {
        var app = ActorsHost.Build(new SiloSettings
        {
            SiloConnectionString = database.SiloConnectionString,
            ApiConnectionString = database.ApiConnectionString,
            Access = access,
            Address = place.Address,
            HttpPort = place.Port ?? 0,
            Ports = SiloPorts.Find(place.Address),
            IsAlone = database.Embedded is not null,
        });
        try
        {
            await StartAsync(app, place, cancellationToken);
            var address = new Uri(ActorsHost.AddressOf(app).GetLeftPart(UriPartial.Authority));
            database.Embedded?.Announce(address);
            await output.WriteLineAsync($"ready {address.ToString().TrimEnd('/')}");
            await output.WriteLineAsync("Stop with Ctrl-C.");
            await output.FlushAsync(CancellationToken.None);
            await UntilCancelledAsync(app.Lifetime, cancellationToken);
        }
        catch
        {
            await TryStopAsync(app);
            throw;
        }

        await output.WriteLineAsync("Stopping ...");
        if (!await TryStopAsync(app))
        {
            throw new CommandFailure(
                ExitCode.DatabaseUnreachable,
                Line($"The silo could not sign off within {StopLimit.TotalSeconds:0} s, as when its database is gone. ")
                + "Nothing is lost: what it had begun is committed or rolled back, and the next `up` goes on.");
        }
    }

    /// <summary>
    /// Orleans itself tries for some minutes to tell a database that is gone that the silo leaves; what is then still
    /// under way ends with the process.
    /// </summary>
    /// <returns>Whether it stopped in time.</returns>
    private static async Task<bool> TryStopAsync(WebApplication app)
    {
        try
        {
            await StopAsync(app).WaitAsync(StopLimit);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    private static async Task StopAsync(WebApplication app)
    {
        await app.StopAsync(CancellationToken.None);
        await app.DisposeAsync();
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

    private static async Task StartAsync(WebApplication app, Place place, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException error) when (error.InnerException is SocketException
            or Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            throw PortInUse(place, error);
        }
    }

    private static async Task UntilCancelledAsync(
        IHostApplicationLifetime host, CancellationToken cancellationToken)
    {
        var ended = new TaskCompletionSource();
        await using var asked = cancellationToken.Register(() => ended.TrySetResult());
        await using var byItself = host.ApplicationStopping.Register(() => ended.TrySetResult());
        await ended.Task;
        if (cancellationToken.IsCancellationRequested) return;
        throw new CommandFailure(
            ExitCode.Unexpected, "The silo ended by itself; the log above says why. Start it again with ./actors up.");
    }

    /// <summary>A port that somebody asked for must be free; nobody's choice gives way to any free one.</summary>
    private static Place Find(Place asked)
    {
        if (asked.Port is { } port)
            return SiloPorts.IsFree(asked.Address, port) ? asked : throw PortInUse(asked, null);
        return asked with { Port = SiloPorts.IsFree(asked.Address, UsualPort) ? UsualPort : 0 };
    }

    /// <summary>What is advertised must be one address; "all of them" is none that another silo could call.</summary>
    private static IPAddress? AddressIn(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (IPAddress.TryParse(text, out var address) && !address.Equals(IPAddress.Any)
            && !address.Equals(IPAddress.IPv6Any) && SiloPorts.IsFree(address, 0))
            return address;
        result.AddError($"--bind is '{text}'; expected is one IP address of this machine.");
        return null;
    }

    private static int? PortFromEnvironment()
    {
        var value = Environment.GetEnvironmentVariable(PortVariable);
        if (string.IsNullOrWhiteSpace(value)) return null;
        return PortIn(value) ?? throw new CommandFailure(
            ExitCode.Usage, $"{PortVariable} is '{value}'; expected is a number from 1 to 65535.");
    }

    private static int? PortIn(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65_535
            ? port
            : null;

    private static CommandFailure PortInUse(Place place, Exception? cause) => new(
        ExitCode.PortInUse,
        Line($"Port {place.Port} on {place.Address} is taken by another program; ")
        + "stop that one, or name another with --port.",
        cause);

    private static string Describe(CommandDatabase database) => database.Embedded is { } embedded
        ? Line($"Database: embedded PostgreSQL on 127.0.0.1:{embedded.Port}, in {embedded.Folder}.")
        : Line($"Database: {Named(database.OwnerConnectionString)}.");

    private static string Named(string connectionString)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        return Line($"'{server.Database}' on {server.Host}:{server.Port}, as {server.Username}");
    }

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
