using System.CommandLine;

namespace Actors.Silo.CommandLine;

/// <summary>
/// The database that a command works on: the one that was named, or the embedded one, which is started when it does
/// not run and stopped again on disposal if this command started it.
/// </summary>
public sealed class CommandDatabase : IAsyncDisposable
{
    private CommandDatabase(string connectionString) => OwnerConnectionString = SiloConnectionString = connectionString;

    /// <summary>The login that may change the schema and import rows.</summary>
    public string OwnerConnectionString { get; }

    /// <summary>The login that the silo works with; the owner's where only one login was given.</summary>
    public string SiloConnectionString { get; }

    /// <exception cref="CommandFailure">No database can be had; the message says why and what to do.</exception>
    public static Task<CommandDatabase> OpenAsync(
        GlobalOptions options, ParseResult arguments, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(new CommandDatabase(arguments.GetValue(options.Database) ?? ""));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
