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
    /// <summary>The pool for a silo: bounded, so that a herd of ticks queues in the marker and not here.</summary>
    public static NpgsqlDataSource Connect(string connectionString, string applicationName = "actors-silo")
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = applicationName,
            MaxPoolSize = 16,
            CommandTimeout = 60,
            Timeout = 10,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.UseNodaTime();
        return builder.Build();
    }
}
