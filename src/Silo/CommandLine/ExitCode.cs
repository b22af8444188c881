namespace Actors.Silo.CommandLine;

/// <summary>What the process answers to the shell. `actors --help` lists them; the numbers never change.</summary>
public enum ExitCode
{
    /// <summary>Done.</summary>
    Ok = 0,

    /// <summary>Something unforeseen; the message says what.</summary>
    Unexpected = 1,

    /// <summary>The command line is wrong: an unknown option, a missing or malformed value.</summary>
    Usage = 2,

    /// <summary>An input file, zone, time or id is wrong; nothing was changed.</summary>
    BadInput = 3,

    /// <summary>The database does not answer.</summary>
    DatabaseUnreachable = 4,

    /// <summary>The database answers but cannot be used: too old, read-only, or not a database of ours.</summary>
    DatabaseUnsuitable = 5,

    /// <summary>The database refuses a right that the command needs.</summary>
    MissingRights = 6,

    /// <summary>The schema is behind, ahead, edited or incomplete.</summary>
    SchemaMismatch = 7,

    /// <summary>The port that was asked for is taken.</summary>
    PortInUse = 8,

    /// <summary>Another `up` already serves this embedded database.</summary>
    AlreadyRunning = 9,

    /// <summary>No PostgreSQL is installed and it could not be installed without a question.</summary>
    PostgresMissing = 10,

    /// <summary>`doctor` found something that needs a hand.</summary>
    DoctorFoundProblems = 11,

    /// <summary>The folder of the embedded database cannot be written, or holds something else.</summary>
    DataFolderUnusable = 12,

    /// <summary>The other silos had declared this one dead.</summary>
    Expelled = 13,
}
