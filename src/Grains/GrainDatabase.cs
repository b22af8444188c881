using Actors.Grains.Cutoffs;
using Npgsql;

namespace Actors.Grains;

/// <summary>
/// Where the grains keep the truth: the application's own pool of connections (Orleans has another), and the clock
/// that decides.
/// </summary>
/// <param name="Source">Connections as the silo's login, with NodaTime's types mapped.</param>
/// <param name="Clock">PostgreSQL's own clock, or a test's in its place.</param>
public sealed record GrainDatabase(NpgsqlDataSource Source, DatabaseClock Clock)
{
    /// <summary>
    /// Comes first in each transaction that holds locks between its statements. A silo that stands still in the middle
    /// of one (frozen, or on a machine that is) would keep its agencies, or the sweep, from all others until it goes
    /// on: the server ends the transaction instead. Ten seconds are long for a silo, and short for those who wait. It
    /// is a statement, since a pooler passes on no settings of a session.
    /// </summary>
    public const string EndWhenIdle = "SET LOCAL idle_in_transaction_session_timeout = 10000";

    /// <summary>
    /// The pool for a silo: bounded, so that a herd of ticks queues in the marker and not here. Its name is what it is
    /// called in `/metrics`, where a pool without one shows its connection string to everybody.
    /// </summary>
    public static NpgsqlDataSource Connect(string connectionString, string applicationName = "actors-silo")
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = applicationName,
            MaxPoolSize = 16,
            CommandTimeout = 60,
            Timeout = 10,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = applicationName };
        builder.UseNodaTime();
        return builder.Build();
    }
}
