using System.CommandLine;

namespace Actors.Silo.CommandLine;

/// <summary>The options that every command takes alike.</summary>
public sealed class GlobalOptions
{
    /// <summary>A connection string or a postgres:// URL; falls back to ACTORS_DATABASE, then to the embedded one.</summary>
    public Option<string?> Database { get; } = new("--database")
    {
        Description = "The database: a connection string or a postgres:// URL. Default: ACTORS_DATABASE, "
            + "else an embedded PostgreSQL.",
        Recursive = true,
    };

    /// <summary>Where the embedded database lives; falls back to ACTORS_DATA, then to .actors.</summary>
    public Option<string?> Data { get; } = new("--data")
    {
        Description = "The folder of the embedded database. Default: ACTORS_DATA, else .actors.",
        Recursive = true,
    };
}
