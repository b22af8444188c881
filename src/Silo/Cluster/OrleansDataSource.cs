using Npgsql;

namespace Actors.Silo.Cluster;

/// <summary>
/// Builds the pool that Orleans alone uses for its membership and reminders. It is never the application's: a herd of
/// cutoffs that empties that pool must not keep a silo from sending its heartbeat, or the others declare it dead.
/// </summary>
public static class OrleansDataSource
{
    /// <summary>What `pg_stat_activity.application_name` shows for Orleans' connections.</summary>
    public const string ApplicationName = "actors-orleans";

    /// <summary>
    /// The least number of connections the pool may grow to. In a cluster a silo holds some 30 arcs of the hash ring
    /// and reads them all at once at every refresh of its reminders; heartbeats and table reads go on beside that.
    /// </summary>
    public const int MinimumPoolSize = 40;

    /// <summary>
    /// Seconds that Orleans waits for a connection, and then for an answer. A silo that sent no heartbeat for 15 s is
    /// taken for stale (<see cref="FailureDetection"/>): one that is lost must have failed, and been repeated, before.
    /// </summary>
    public const int TimeoutSeconds = 10;

    /// <summary>More than Orleans has statements, so that each is parsed and planned once on a connection.</summary>
    private const int PreparedStatements = 32;

    /// <summary>A data source of Orleans' own; dispose it after the silo has stopped.</summary>
    /// <param name="connectionString">
    /// Names server, database, login and encryption. Pooling, search path, timeouts and application name in it are the
    /// application's, and are replaced; only a `Maximum Pool Size` above <see cref="MinimumPoolSize"/> is kept. The
    /// server must be reached directly: a pgbouncer in transaction mode refuses the search path.
    /// </param>
    /// <exception cref="ArgumentException">The text is no connection string.</exception>
    public static NpgsqlDataSource Create(string connectionString)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        // Left out, it would be Npgsql's 100: as many as a whole server takes by default, for one silo.
        var maximumPoolSize = settings.ShouldSerialize("Maximum Pool Size") ? settings.MaxPoolSize : 0;
        settings.ApplicationName = ApplicationName;
        // Orleans reads its queries from an unqualified `OrleansQuery`.
        settings.SearchPath = "orleans";
        settings.Pooling = true;
        settings.MinPoolSize = 0;
        settings.MaxPoolSize = Math.Max(maximumPoolSize, MinimumPoolSize);
        settings.Timeout = TimeoutSeconds;
        settings.CommandTimeout = TimeoutSeconds;
        // A transaction that happens to surround a call must not take a heartbeat with it when it rolls back.
        settings.Enlist = false;
        // A hundred thousand reminders are that many statements: what none of them leaves behind need not be cleared
        // after each.
        settings.MaxAutoPrepare = PreparedStatements;
        settings.NoResetOnClose = true;
        // A pool without a name is called by its connection string in `/metrics`, which anybody may read.
        return new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = ApplicationName }.Build();
    }
}
