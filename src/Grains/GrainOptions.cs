namespace Actors.Grains;

/// <summary>
/// The limits and periods of the grains on one silo. Construction refuses values that could not work.
/// </summary>
public sealed record GrainOptions
{
    /// <summary>The largest number of agencies that one transaction brings up to date; 1 to 4,096.</summary>
    public int BatchSize { get; init; } = 256;

    /// <summary>How many such transactions a silo runs at once; 1 to 6, each may take two connections of 16.</summary>
    public int MarkingWorkers { get; init; } = 2;

    /// <summary>The most dates of one agency that one transaction serves; the rest follow in waves.</summary>
    public int DatesPerTransaction { get; init; } = 31;

    /// <summary>A tick that arrives at most this early waits for its cutoff; an earlier one returns.</summary>
    public TimeSpan EarlyTickPatience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The pauses before the second, third and fourth attempt after a transient error.</summary>
    public IReadOnlyList<TimeSpan> RetryPauses { get; init; } =
        [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4)];

    /// <summary>
    /// How long an agency is set aside after its first failure; doubles with each further one, up to 32 times.
    /// </summary>
    public TimeSpan FirstSetAside { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The time between two sweeps.</summary>
    public TimeSpan SweepPeriod { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>A cutoff that is unserved for longer than this is late, and the sweep takes it up.</summary>
    public TimeSpan LateAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A run that is still open after this is closed as failed, naming the agencies that are left.</summary>
    public TimeSpan RunLimit { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The most agencies that one wave of a sweep takes up.</summary>
    public int WaveSize { get; init; } = 2_560;

    /// <summary>How many agencies of a wave, or of a run that was asked for, are in flight at once.</summary>
    public int AgenciesInFlight { get; init; } = 512;

    /// <summary>
    /// How long the ledger, the rows of `jobs_log` and resolved alerts are kept, at least 31 days; null keeps them for
    /// ever. The default is a year and what it takes to look back at the same month.
    /// </summary>
    public TimeSpan? Retention { get; init; } = TimeSpan.FromDays(400);

    /// <exception cref="ArgumentException">
    /// A value is out of its range; the message says which and what is expected.
    /// </exception>
    public GrainOptions Validated()
    {
        Require(BatchSize is >= 1 and <= 4_096, nameof(BatchSize), BatchSize, "1 to 4,096");
        Require(MarkingWorkers is >= 1 and <= 6, nameof(MarkingWorkers), MarkingWorkers, "1 to 6");
        Require(DatesPerTransaction is >= 1 and <= 366, nameof(DatesPerTransaction), DatesPerTransaction, "1 to 366");
        Require(WaveSize >= 1, nameof(WaveSize), WaveSize, "at least 1");
        Require(AgenciesInFlight >= 1, nameof(AgenciesInFlight), AgenciesInFlight, "at least 1");
        Require(SweepPeriod >= TimeSpan.FromSeconds(1), nameof(SweepPeriod), SweepPeriod, "at least 1 s");
        Require(RunLimit > SweepPeriod, nameof(RunLimit), RunLimit, $"more than the sweep's period, {SweepPeriod}");
        Require(
            Retention is null || Retention >= TimeSpan.FromDays(31), nameof(Retention), Retention ?? TimeSpan.Zero,
            "at least 31 days, or null to keep everything");
        return this;
    }

    private static void Require(bool holds, string name, object got, string expected)
    {
        if (!holds) throw new ArgumentException($"{name} is {got}; expected is {expected}.", name);
    }
}
