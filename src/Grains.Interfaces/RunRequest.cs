namespace Actors.Grains.Interfaces;

/// <summary>What started a run; `agency_runs.trigger` in words.</summary>
[GenerateSerializer, Alias("actors.RunTrigger")]
public enum RunTrigger
{
    /// <summary>The agency's own reminder, at its cutoff.</summary>
    Reminder,

    /// <summary>The sweep, which found a cutoff that no reminder served.</summary>
    CatchUp,

    /// <summary>The database's own function, called with no silo's help.</summary>
    Watchdog,

    /// <summary>Somebody asked.</summary>
    Api,
}

/// <summary>Who asks for a run, why, and under which row of `jobs_log` it is to stand.</summary>
/// <param name="Trigger">Never <see cref="RunTrigger.Watchdog"/>: that one runs inside the database.</param>
/// <param name="Job">
/// The run's row, opened by the first agency that has something to write; null for a reminder, whose row follows from
/// the cutoff instant.
/// </param>
/// <param name="RequestedBy">The name of the key or person that asked; null when nobody did.</param>
/// <param name="Reason">Why, in the asker's words; null when none was given.</param>
[GenerateSerializer, Immutable, Alias("actors.RunRequest")]
public sealed record RunRequest(
    [property: Id(0)] RunTrigger Trigger,
    [property: Id(1)] JobId? Job = null,
    [property: Id(2)] string? RequestedBy = null,
    [property: Id(3)] string? Reason = null);

/// <summary>Who asks for a run of several agencies, why, and under which row of `jobs_log` it is to stand.</summary>
/// <param name="Job">The run's row. The asker makes the id, and may ask again with the same one.</param>
/// <param name="RequestedBy">The name of the key or person that asked; null when nobody is known.</param>
/// <param name="Reason">Why, in the asker's words; null when none was given.</param>
/// <param name="Agencies">
/// Which agencies; null for all. Those that are paused or not there are left out, and one that is named twice is meant
/// once.
/// </param>
[GenerateSerializer, Immutable, Alias("actors.RunAllRequest")]
public sealed record RunAllRequest(
    [property: Id(0)] JobId Job,
    [property: Id(1)] string? RequestedBy = null,
    [property: Id(2)] string? Reason = null,
    [property: Id(3)] IReadOnlyList<AgencyId>? Agencies = null);
