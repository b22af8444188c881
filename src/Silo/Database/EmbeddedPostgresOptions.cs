namespace Actors.Silo.Database;

/// <summary>What somebody wants of an embedded database.</summary>
public sealed record EmbeddedPostgresOptions
{
    /// <summary>The data folder, absolute or relative to the current one; null for the checkout's own.</summary>
    public string? Folder { get; init; }

    /// <summary>Why it is wanted, which decides when it is stopped.</summary>
    public EmbeddedPurpose Purpose { get; init; }

    /// <summary>False for tests: fast, and lost when the machine stops without warning.</summary>
    public bool IsDurable { get; init; } = true;

    /// <summary>True for tests: login `actors_owner` may make databases of its own.</summary>
    public bool OwnerMayCreateDatabases { get; init; }

    /// <summary>Told, in whole sentences, what takes time: creating, installing, waiting.</summary>
    public Action<string> Report { get; init; } = _ => { };
}

/// <summary>Why an embedded database is wanted.</summary>
public enum EmbeddedPurpose
{
    /// <summary>A command that ends: a server that was started for commands stops with the last of them.</summary>
    Command,

    /// <summary>Somebody connects when we are gone: the server stays up until `down`, or an `up` that ends.</summary>
    LeaveRunning,

    /// <summary>An `up` serves it: there can be one only, and the server stops with it.</summary>
    Serve,

    /// <summary>
    /// A silo or an API beside an `up` that is ready. Where the `up` ends first, the server goes on until this one ends
    /// too.
    /// </summary>
    Join,
}
