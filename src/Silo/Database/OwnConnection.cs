using System.Collections.Concurrent;
using Npgsql;

namespace Actors.Silo.Database;

/// <summary>
/// Connections outside of the pools of grains, API and Orleans. Npgsql measures them too, and what has no name is
/// called by its connection string in `/metrics`, which anybody may read: these are called by their application's name.
/// </summary>
internal static class OwnConnection
{
    private const string WithoutApplication = "actors";

    // Kept for as long as the process lives, as Npgsql does for connections that are made without a source.
    private static readonly ConcurrentDictionary<string, NpgsqlDataSource> Sources = new();

    /// <summary>A connection that is not open yet.</summary>
    /// <exception cref="ArgumentException">The text is no connection string.</exception>
    public static NpgsqlConnection To(string connectionString) =>
        Sources.GetOrAdd(connectionString, static text => SourceOf(text)).CreateConnection();

    private static NpgsqlDataSource SourceOf(string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.Name = builder.ConnectionStringBuilder.ApplicationName ?? WithoutApplication;
        return builder.Build();
    }
}
