using System.CommandLine;
using Actors.Silo.Database;

namespace Actors.Silo.CommandLine;

/// <summary>
/// The database that a command works on: the one that was named, which has answered and can be written, or the
/// embedded one, which is started when it does not run and stopped again on disposal if commands alone use it.
/// </summary>
public sealed class CommandDatabase : IAsyncDisposable
{
    private CommandDatabase(string connectionString, string apiConnectionString)
    {
        OwnerConnectionString = SiloConnectionString = connectionString;
        ApiConnectionString = apiConnectionString;
    }

    private CommandDatabase(EmbeddedPostgres embedded)
    {
        Embedded = embedded;
        OwnerConnectionString = embedded.OwnerConnectionString;
        SiloConnectionString = embedded.SiloConnectionString;
        ApiConnectionString = embedded.ApiConnectionString;
    }

    /// <summary>The login that may change the schema and import rows.</summary>
    public string OwnerConnectionString { get; }

    /// <summary>The login that the silo works with; the owner's where only one login was given.</summary>
    public string SiloConnectionString { get; }

    /// <summary>The login that the API reads with: --api-database, or the same as the silo's.</summary>
    public string ApiConnectionString { get; }

    /// <summary>The embedded database, or null when a database was named.</summary>
    public EmbeddedPostgres? Embedded { get; }

    /// <summary>For a command that ends by itself.</summary>
    /// <exception cref="CommandFailure">No database can be had; the message says why and what to do.</exception>
    public static Task<CommandDatabase> OpenAsync(
        GlobalOptions options, ParseResult arguments, CancellationToken cancellationToken) =>
        OpenAsync(options, arguments, EmbeddedPurpose.Command, cancellationToken);

    /// <summary>For `up`: where the database is embedded, no other `up` can have it until disposal.</summary>
    /// <exception cref="CommandFailure">No database can be had; the message says why and what to do.</exception>
    public static async Task<CommandDatabase> OpenAsync(
        GlobalOptions options,
        ParseResult arguments,
        EmbeddedPurpose purpose,
        CancellationToken cancellationToken)
    {
        var apiName = options.ApiDatabaseNamed(arguments);
        if (options.DatabaseNamed(arguments) is { } name)
        {
            var connectionString = await UsableAsync(name, cancellationToken);
            return new CommandDatabase(
                connectionString, apiName is null ? connectionString : await UsableAsync(apiName, cancellationToken));
        }

        var embedded = await EmbeddedPostgres.StartAsync(
            options.Embedded(arguments) with { Purpose = purpose }, cancellationToken);
        return new CommandDatabase(embedded);
    }

    /// <summary>
    /// To be called after the migrations have made the logins of silo and API. Does nothing for a database that was
    /// named: its logins are its administrator's.
    /// </summary>
    public Task EnsureLoginPasswordsAsync(CancellationToken cancellationToken) =>
        Embedded?.EnsureLoginPasswordsAsync(cancellationToken) ?? Task.CompletedTask;

    private static async Task<string> UsableAsync(string name, CancellationToken cancellationToken)
    {
        var connectionString = DatabaseUrl.Parse(name).ConnectionString;
        await DatabaseProbe.EnsureUsableAsync(connectionString, cancellationToken);
        return connectionString;
    }

    public ValueTask DisposeAsync() => Embedded?.DisposeAsync() ?? ValueTask.CompletedTask;
}
