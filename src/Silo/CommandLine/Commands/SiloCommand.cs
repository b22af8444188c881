using System.CommandLine;
using Actors.Silo.CommandLine.Serving;
using Actors.Silo.Hosting;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `./actors silo`: one more silo for the cluster of a database that is migrated already, with nothing on HTTP but its
/// health. It changes neither schema nor logins, so that any number may be started and stopped in any order.
/// </summary>
public static class SiloCommand
{
    public static Command Create(GlobalOptions options)
    {
        var http = new HttpPlaceOptions("the silo is bound to and advertises", usualPort: null);
        var ports = new SiloPortOptions();
        var pooler = PoolerOption.Create();
        var command = new Command(
            "silo", "Add a silo to the cluster of a database, which must be migrated, until Ctrl-C. Without --database "
                + "it joins the `up` that runs here.")
        {
            http.Port,
            http.Bind,
            pooler,
            ports.Silo,
            ports.Gateway,
        };
        command.SetAction((arguments, cancellationToken) => RunAsync(
            options, arguments, http, pooler, ports, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        GlobalOptions options, ParseResult arguments, HttpPlaceOptions http, Option<string?> pooler,
        SiloPortOptions ports, CancellationToken cancellationToken)
    {
        var output = arguments.InvocationConfiguration.Output;
        var names = ClusterNames.FromEnvironment();
        var between = PoolerOption.Find(pooler, arguments);
        var place = http.Find(arguments);
        using var reserved = ports.Reserve(arguments, place.Address);
        await using (var database = await ServingDatabase.JoinAsync(options, arguments, cancellationToken))
        {
            await output.WriteLineAsync(ServingDatabase.Describe(database));
            var app = ActorsHost.BuildSilo(new SiloSettings
            {
                SiloConnectionString = database.SiloConnectionString,
                Address = place.Address,
                HttpPort = place.Port,
                Ports = reserved.Ports,
                ClusterId = names.ClusterId,
                ServiceId = names.ServiceId,
                Pooler = between,
                Telemetry = TelemetrySettings.FromEnvironment(),
            });
            await output.WriteLineAsync(FormattableString.Invariant(
                $"Silo of cluster '{names.ClusterId}': ports {reserved.Ports.Silo} and {reserved.Ports.Gateway} ")
                + $"on {place.Address}.");
            await ServedHost.RunAsync(app, place, "The silo", _ => { }, output, cancellationToken);
        }

        await output.WriteLineAsync("Stopped.");
        return (int)ExitCode.Ok;
    }
}
