namespace Actors.Silo.Hosting;

/// <summary>
/// The command line listens for Ctrl-C and SIGTERM and cancels the command, which then stops the host and after it the
/// database. A host that listened for itself would race with that.
/// </summary>
internal sealed class StoppedByItsCaller : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
