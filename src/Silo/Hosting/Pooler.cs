using Npgsql;

namespace Actors.Silo.Hosting;

/// <summary>
/// A pgbouncer in transaction mode (or its like) in front of the database, for the pools of grains and API. It gives a
/// connection of the server to a transaction, not to a session: nothing that these pools do outlives its transaction
/// (settings are `SET LOCAL`, locks are `…_xact_…`). What does needs a session keeps the direct address: Orleans'
/// search path, LISTEN, and the lock of the migrations.
/// </summary>
/// <param name="Host">As in a connection string.</param>
/// <param name="Port">Where the pooler listens.</param>
/// <param name="SslMode">Of the way to the pooler; null: the one to the database.</param>
public sealed record Pooler(string Host, int Port, SslMode? SslMode = null)
{
    /// <summary>The same login and database, by way of the pooler.</summary>
    public string Through(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Host = Host,
            Port = Port,
            // A statement that was prepared is known to one connection of the server, and the next transaction may
            // get another.
            MaxAutoPrepare = 0,
            // DISCARD ALL, on whichever connection it happened to reach.
            NoResetOnClose = true,
            // A pooler refuses what would be a setting of the session.
            SearchPath = null,
            Options = null,
            Timezone = null,
        };
        if (SslMode is { } ssl) settings.SslMode = ssl;
        return settings.ConnectionString;
    }
}
