using System.CommandLine;
using Actors.Silo.Database;

namespace Actors.Silo.CommandLine;

/// <summary>The options that every command takes alike.</summary>
public sealed class GlobalOptions
{
    public const string DatabaseVariable = "ACTORS_DATABASE";
    public const string DataVariable = "ACTORS_DATA";

    /// <summary>A connection string or a postgres:// URL; else ACTORS_DATABASE; else the embedded one.</summary>
    public Option<string?> Database { get; } = new("--database")
    {
        Description = "The database: a connection string or a postgres:// URL. Default: ACTORS_DATABASE, "
            + "else an embedded PostgreSQL.",
        HelpName = "URL",
        Recursive = true,
    };

    /// <summary>Where the embedded database lives; falls back to ACTORS_DATA, then to .actors.</summary>
    public Option<string?> Data { get; } = new("--data")
    {
        Description = "The folder of the embedded database. Default: ACTORS_DATA, else .actors.",
        HelpName = "DIR",
        Recursive = true,
    };

    /// <summary>
    /// The database that was named, unparsed, or null for the embedded one. A folder named with --data means the
    /// embedded one, also where ACTORS_DATABASE is set.
    /// </summary>
    /// <exception cref="CommandFailure">Both --database and --data were given.</exception>
    public string? DatabaseNamed(ParseResult arguments)
    {
        var database = Given(arguments.GetValue(Database));
        var data = Given(arguments.GetValue(Data));
        if (database is not null && data is not null)
        {
            throw new CommandFailure(
                ExitCode.Usage,
                "--database names a server and --data the folder of the embedded one: give one of the two.");
        }

        return database ?? (data is null ? Given(Environment.GetEnvironmentVariable(DatabaseVariable)) : null);
    }

    /// <summary>Which embedded database is meant. What takes time is told on standard error.</summary>
    public EmbeddedPostgresOptions Embedded(ParseResult arguments) => new()
    {
        Folder = Given(arguments.GetValue(Data)) ?? Given(Environment.GetEnvironmentVariable(DataVariable)),
        Report = arguments.InvocationConfiguration.Error.WriteLine,
    };

    // An empty variable or option, as scripts and compose files leave them, is none.
    private static string? Given(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}
