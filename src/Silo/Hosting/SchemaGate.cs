using Actors.Silo.Migrations;

namespace Actors.Silo.Hosting;

/// <summary>
/// A silo does not start on a schema that is behind, ahead or edited: it throws the failure that names the command to
/// run. Before anything else of the host has touched the database.
/// </summary>
internal sealed class SchemaGate(SiloSettings settings) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) =>
        new MigrationRunner(settings.SiloConnectionString).RequireCurrentAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
