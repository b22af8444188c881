using System.Net.Sockets;
using Actors.Silo.Hosting;
using Microsoft.AspNetCore.Connections;

namespace Actors.Silo.CommandLine.Serving;

/// <summary>
/// A host from its start until the command is cancelled: says `ready` and where, waits, and stops within a limit. It
/// is disposed of however it ends.
/// </summary>
internal static class ServedHost
{
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    /// <param name="app">As it was built; nobody else starts or stops it.</param>
    /// <param name="place">Where it listens, for the complaint that somebody else does.</param>
    /// <param name="what">What is served, as the subject of a sentence: "The silo".</param>
    /// <param name="ready">Told the address, before anybody else is.</param>
    /// <param name="output">For people.</param>
    /// <param name="cancellationToken">Ends it in good order.</param>
    /// <exception cref="CommandFailure">It could not listen, ended by itself, or did not stop in time.</exception>
    public static async Task RunAsync(
        WebApplication app, HttpPlace place, string what, Action<Uri> ready, TextWriter output,
        CancellationToken cancellationToken)
    {
        try
        {
            await StartAsync(app, place, cancellationToken);
            var address = new Uri(ActorsHost.AddressOf(app).GetLeftPart(UriPartial.Authority));
            ready(address);
            await output.WriteLineAsync($"ready {address.ToString().TrimEnd('/')}");
            await output.WriteLineAsync("Stop with Ctrl-C.");
            await output.FlushAsync(CancellationToken.None);
            await UntilCancelledAsync(app.Lifetime, what, cancellationToken);
        }
        catch
        {
            await TryStopAsync(app);
            throw;
        }

        await output.WriteLineAsync("Stopping ...");
        if (await TryStopAsync(app)) return;
        throw new CommandFailure(
            ExitCode.DatabaseUnreachable,
            FormattableString.Invariant($"{what} could not sign off within {StopLimit.TotalSeconds:0} s, ")
            + "as when its database is gone. Nothing is lost: what it had begun is committed or rolled back, "
            + "and the next start goes on.");
    }

    private static async Task StartAsync(WebApplication app, HttpPlace place, CancellationToken cancellationToken)
    {
        try
        {
            await app.StartAsync(cancellationToken);
        }
        catch (IOException error) when (error.InnerException is SocketException or AddressInUseException)
        {
            throw place.InUse(error);
        }
    }

    private static async Task UntilCancelledAsync(
        IHostApplicationLifetime host, string what, CancellationToken cancellationToken)
    {
        var ended = new TaskCompletionSource();
        await using var asked = cancellationToken.Register(() => ended.TrySetResult());
        await using var byItself = host.ApplicationStopping.Register(() => ended.TrySetResult());
        await ended.Task;
        if (cancellationToken.IsCancellationRequested) return;
        throw new CommandFailure(
            ExitCode.Unexpected, $"{what} ended by itself; the log above says why. Start it again.");
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
}
