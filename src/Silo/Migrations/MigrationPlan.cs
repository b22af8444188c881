using Actors.Silo.CommandLine;

namespace Actors.Silo.Migrations;

/// <summary>How a migration stands in a database.</summary>
public enum MigrationState
{
    /// <summary>Carried by this version and not applied.</summary>
    Pending,

    /// <summary>Applied as this version carries it.</summary>
    Applied,

    /// <summary>Applied with another content than this version carries.</summary>
    Edited,

    /// <summary>Applied, and unknown to this version: the database is ahead.</summary>
    Unknown,

    /// <summary>Not applied although a later one of its domain is: its row in the history is gone.</summary>
    Missing,
}

/// <summary>One line of <c>migrate status</c>.</summary>
/// <param name="Carried">What this version carries; null when unknown.</param>
/// <param name="Applied">What the history says; null when not applied.</param>
public sealed record MigrationStanding(
    MigrationId Id, MigrationState State, Migration? Carried, AppliedMigration? Applied);

/// <summary>Decides, from what this version carries and what a database says was applied, what is to be run.</summary>
public sealed class MigrationPlan
{
    private readonly MigrationCatalogue catalogue;

    public MigrationPlan(MigrationCatalogue catalogue, IReadOnlyCollection<AppliedMigration> history)
    {
        this.catalogue = catalogue;
        var applied = history.ToDictionary(row => row.Id);
        Standings = [.. catalogue.Migrations.Select(migration => migration.Id).Union(applied.Keys).Order()
            .Select(id => StandingOf(id, catalogue.Find(id), applied))];
    }

    /// <summary>Everything that is carried or applied, in the order of ids.</summary>
    public IReadOnlyList<MigrationStanding> Standings { get; }

    /// <summary>
    /// Null where the history is sound; else what is wrong with it and what to do, in a sentence or more.
    /// </summary>
    public string? HistoryProblem => string.Join(" ", Standings.Select(ProblemOf).OfType<string>()) switch
    {
        "" => null,
        var problems => problems,
    };

    /// <summary>Null where the schema is exactly the one this version was built for; else what to do.</summary>
    public string? SchemaProblem => HistoryProblem ?? (Pending(null) switch
    {
        [] => null,
        var behind => $"The schema is behind: {string.Join(", ", behind.Select(step => step.Id))} "
            + (behind.Count == 1 ? "is" : "are") + " not applied. Run ./actors migrate up.",
    });

    /// <summary>The migrations to apply, first to last, none being a fine answer.</summary>
    /// <param name="to">The last one to apply; null for all.</param>
    /// <exception cref="CommandFailure">The history is edited, unknown or has holes.</exception>
    public IReadOnlyList<Migration> Up(MigrationId? to)
    {
        RefuseUnsoundHistory();
        return Pending(to);
    }

    /// <summary>The migrations to take back, last applied first.</summary>
    /// <param name="to">Nothing after it stays; null for one step; <see cref="MigrationId.None"/> for all.</param>
    /// <exception cref="CommandFailure">The history is edited, unknown or has holes.</exception>
    public IReadOnlyList<Migration> Down(MigrationId? to)
    {
        RefuseUnsoundHistory();
        var lastFirst = Standings.Where(standing => standing.Applied is not null)
            .OrderByDescending(standing => standing.Applied!.Sequence)
            .ToList();
        var leaving = to is { } stays ? lastFirst.Where(standing => standing.Id > stays) : lastFirst.Take(1);
        return [.. leaving.Select(standing => standing.Carried!)];
    }

    /// <summary>
    /// Reads <c>--to</c>: <c>004/001</c>, <c>004</c> for that whole domain, <c>0</c> for nothing at all.
    /// </summary>
    /// <exception cref="CommandFailure">It names no migration that this version carries.</exception>
    public static MigrationId ReadTarget(string text, MigrationCatalogue catalogue)
    {
        if (text is "0" or "000") return MigrationId.None;
        var target = MigrationId.TryParse(text) is { } whole
            ? catalogue.Find(whole)
            : catalogue.Migrations.LastOrDefault(migration => migration.Id.ToString()[..3] == text);
        return target?.Id ?? throw new CommandFailure(
            ExitCode.Usage,
            $"There is no migration '{text}': --to takes 0 for none, a domain such as 004, or one of "
            + string.Join(", ", catalogue.Migrations.Select(migration => migration.Id)) + ".");
    }

    /// <summary>The domains of which every migration is applied: those whose verify.sql can be asked.</summary>
    public IReadOnlyList<SqlFile> Verifiable() =>
        [.. Standings.GroupBy(standing => standing.Id.Domain)
            .Where(domain => domain.All(standing => standing.State == MigrationState.Applied))
            .Select(domain => catalogue.Verifications[domain.Key])];

    private List<Migration> Pending(MigrationId? to) =>
        [.. Standings.Where(standing => standing.State == MigrationState.Pending && !(standing.Id > to))
            .Select(standing => standing.Carried!)];

    private void RefuseUnsoundHistory()
    {
        if (HistoryProblem is { } problem) throw new CommandFailure(ExitCode.SchemaMismatch, problem);
    }

    private static MigrationStanding StandingOf(
        MigrationId id, Migration? carried, Dictionary<MigrationId, AppliedMigration> history)
    {
        var applied = history.GetValueOrDefault(id);
        var state = (carried, applied) switch
        {
            (null, _) => MigrationState.Unknown,
            (_, null) when history.Keys.Any(other => other.Domain == id.Domain && other > id) => MigrationState.Missing,
            (_, null) => MigrationState.Pending,
            _ when carried.Checksum != applied.Checksum => MigrationState.Edited,
            _ => MigrationState.Applied,
        };
        return new MigrationStanding(id, state, carried, applied);
    }

    private static string? ProblemOf(MigrationStanding standing) => standing.State switch
    {
        MigrationState.Unknown =>
            $"The database has migration {standing.Id} ({standing.Applied!.Name}) that this version does not know: "
            + "run a newer version, or take that migration down with the version that applied it.",
        MigrationState.Edited =>
            $"Migration {standing.Id} was applied on {standing.Applied!.AppliedAt:uuuu-MM-dd HH:mm:ss'Z'} with another "
            + $"content than {standing.Carried!.Up.Path} has now: restore that file as it was, and put the change into "
            + "a new migration.",
        MigrationState.Missing =>
            $"The history lacks migration {standing.Id} although a later one of its domain is applied: somebody "
            + "removed its row from actors.schema_migrations; restore that table from a backup.",
        _ => null,
    };
}
