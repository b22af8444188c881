using System.CommandLine;
using Actors.Silo.Database;

namespace Actors.Silo.CommandLine;

/// <summary>The options that every command takes alike.</summary>
public sealed class GlobalOptions
{
    public const string DatabaseVariable = "ACTORS_DATABASE";
    public const string DataVariable = "ACTORS_DATA";
    public const string ApiDatabaseVariable = "ACTORS_API_DATABASE";

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
    /// For the commands that host the API: the database again, with the login that may act as callers. Each such
    /// command adds it to its own options.
    /// </summary>
    public Option<string?> ApiDatabase { get; } = new("--api-database")
    {
        Description = "The same database with the login of the API, actors_api. Default: ACTORS_API_DATABASE, else as "
            + "--database.",
        HelpName = "URL",
    };

    /// <summary>
    /// The database with the API's login, unparsed, or null where none was named or the command hosts no API: then its
    /// login is that of --database, or the embedded one's own.
    /// </summary>
    /// <exception cref="CommandFailure">It was given for the embedded database, whose logins are its own.</exception>
    public string? ApiDatabaseNamed(ParseResult arguments)
    {
        if (!arguments.CommandResult.Command.Options.Contains(ApiDatabase)) return null;
        var given = Given(arguments.GetValue(ApiDatabase));
        if (given is not null && DatabaseNamed(arguments) is null)
        {
            throw new CommandFailure(
                ExitCode.Usage,
                "--api-database is the login of the API for a database that --database names, and there is none: the "
                + "embedded database has a login for the API already.");
        }

        return given ?? Given(Environment.GetEnvironmentVariable(ApiDatabaseVariable));
    }

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
