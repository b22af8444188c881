using System.CommandLine;
using Actors.Silo.CommandLine.Serving;
using Actors.Silo.Hosting;

namespace Actors.Silo.CommandLine.Commands;

/// <summary>
/// `./actors api`: the API alone, beside any number of silos. It finds them in the database, serves before the first
/// of them is there, and changes neither schema nor logins.
/// </summary>
public static class ApiCommand
{
    public static Command Create(GlobalOptions options)
    {
        var http = new HttpPlaceOptions("the API is bound to", HttpPlaceOptions.ApiPort);
        var pooler = PoolerOption.Create();
        var command = new Command(
            "api", "Run the API alone, as a client of the silos on a database, which must be migrated, until Ctrl-C. "
                + "Without --database it joins the `up` that runs here.")
        {
            http.Port,
            http.Bind,
            pooler,
            options.ApiDatabase,
        };
        command.SetAction((arguments, cancellationToken) => RunAsync(
            options, arguments, http, pooler, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(
        GlobalOptions options, ParseResult arguments, HttpPlaceOptions http, Option<string?> pooler,
        CancellationToken cancellationToken)
    {
        var output = arguments.InvocationConfiguration.Output;
        var names = ClusterNames.FromEnvironment();
        var between = PoolerOption.Find(pooler, arguments);
        var place = http.Find(arguments);
        var access = AccessVariables.Read(Environment.GetEnvironmentVariable);
        await using (var database = await ServingDatabase.JoinAsync(options, arguments, cancellationToken))
        {
            await output.WriteLineAsync(ServingDatabase.Describe(database));
            var app = ActorsHost.BuildApi(new SiloSettings
            {
                SiloConnectionString = database.SiloConnectionString,
                ApiConnectionString = database.ApiConnectionString,
                Access = access,
                Address = place.Address,
                HttpPort = place.Port,
                Ports = SiloPorts.None,
                ClusterId = names.ClusterId,
                ServiceId = names.ServiceId,
                Pooler = between,
                Telemetry = TelemetrySettings.FromEnvironment(),
            });
            await ServedHost.RunAsync(app, place, "The API", _ => { }, output, cancellationToken);
        }

        await output.WriteLineAsync("Stopped.");
        return (int)ExitCode.Ok;
    }
}
