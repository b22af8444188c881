using NodaTime;

namespace Actors.Tests.Simulation.Oracle;

/// <summary>
/// What a value was at each step. A transaction that is committed late did its work at an earlier step, and is
/// judged by what was true then.
/// </summary>
internal sealed class History<T>(int step, T value)
{
    private readonly List<(int Step, T Value)> _values = [(step, value)];

    public T Now => _values[^1].Value;

    public T At(int step)
    {
        for (var i = _values.Count - 1; i > 0; i--)
            if (_values[i].Step <= step) return _values[i].Value;
        return _values[0].Value;
    }

    public void Set(int step, T value)
    {
        var at = _values.Count;
        while (at > 0 && _values[at - 1].Step > step) at--;
        _values.Insert(at, (step, value));
    }
}

/// <summary>An agency's settings, and the rule of when under them; no rule for a zone that nobody knows.</summary>
internal sealed record Settings(string Zone, LocalTime Time)
{
    public RuleByHand? Rule { get; } = RuleByHand.Of(Zone, Time);
}

internal sealed class AgencyFacts(int step, Guid id, Settings settings, Instant now)
{
    private Settings? _nextBy;
    private LocalDate? _nextAfter;
    private Instant _next;

    public Guid Id => id;

    public History<Settings> Settings { get; } = new(step, settings);

    public History<bool> IsPaused { get; } = new(step, false);

    /// <summary>A trigger of the application refuses to have its installments marked.</summary>
    public bool IsPoisoned { get; set; }

    public List<PlanFacts> Plans { get; } = [];

    /// <summary>The latest date that the ledger says was served; null for an agency that is new.</summary>
    public LocalDate? LastServed { get; set; }

    public Instant SettingsChangedAt { get; set; } = now;

    /// <summary>
    /// Nobody can be asked to serve it before: it is new, was paused, failed, or somebody held its rows.
    /// </summary>
    public Instant ExcusedUntil { get; set; } = now;

    /// <summary>The instant of the first date that is unserved; null while no rule can say.</summary>
    public Instant? NextCutoff
    {
        get
        {
            if (Settings.Now.Rule is not { } rule) return null;
            if (LastServed is not { } last) return SettingsChangedAt;
            if (ReferenceEquals(_nextBy, Settings.Now) && _nextAfter == last) return _next;
            (_nextBy, _nextAfter) = (Settings.Now, last);
            return _next = rule.On(last.PlusDays(1)).At;
        }
    }

    public IEnumerable<InstallmentFacts> Installments => Plans.SelectMany(plan => plan.Installments);

    /// <summary>What a run that ran at this step through this date had to mark.</summary>
    public IEnumerable<InstallmentFacts> DueAt(int step, LocalDate through) =>
        from plan in Plans
        where plan.Status.At(step) == "active"
        from installment in plan.Installments
        where installment.Since <= step && installment.Status.At(step) == "pending"
            && installment.Due.At(step) <= through
        select installment;
}

internal sealed class PlanFacts(int step, Guid id, AgencyFacts agency, string status)
{
    public Guid Id => id;

    public AgencyFacts Agency => agency;

    public History<string> Status { get; } = new(step, status);

    public List<InstallmentFacts> Installments { get; } = [];
}

internal sealed class InstallmentFacts(int step, Guid id, PlanFacts plan, LocalDate? due, string status)
{
    public Guid Id => id;

    public PlanFacts Plan => plan;

    /// <summary>The step at which it was inserted.</summary>
    public int Since => step;

    public History<LocalDate?> Due { get; } = new(step, due);

    public History<string> Status { get; } = new(step, status);
}

/// <summary>A row of jobs_log as the audit trail told it.</summary>
internal sealed class RunFacts(Guid id, Instant startedAt)
{
    public Guid Id => id;

    public Instant StartedAt => startedAt;

    /// <summary>The sum over its rows of the ledger.</summary>
    public int Marked { get; set; }
}

/// <summary>
/// All that the application has done to its rows, and what the ledger has been seen to say: enough to tell what must
/// be pending, what overdue, and which rows there must be, without asking the code that is tested.
/// </summary>
internal sealed class Facts
{
    public Dictionary<Guid, AgencyFacts> Agencies { get; } = [];

    public Dictionary<Guid, PlanFacts> Plans { get; } = [];

    public Dictionary<Guid, InstallmentFacts> Installments { get; } = [];

    public Dictionary<Guid, RunFacts> Runs { get; } = [];

    /// <summary>Those of them that are open: few of many.</summary>
    public HashSet<RunFacts> OpenRuns { get; } = [];

    /// <summary>What each run of the ledger has marked.</summary>
    public Dictionary<Guid, HashSet<Guid>> Marks { get; } = [];

    /// <summary>The runs of the ledger that were undone.</summary>
    public HashSet<Guid> Undone { get; } = [];

    public int CutoffsServed { get; set; }

    /// <summary>How many of them within a second of their cutoff.</summary>
    public int OnTime { get; set; }

    public int Marked { get; set; }

    /// <summary>The worst lateness by the ledger's own count, in which faults are not excused.</summary>
    public Duration WorstLateness { get; set; }

    /// <summary>The worst lateness after the last fault had ended.</summary>
    public Duration WorstUnexcused { get; set; }

    public void Add(PlanFacts plan)
    {
        Plans.Add(plan.Id, plan);
        plan.Agency.Plans.Add(plan);
    }

    public void Add(InstallmentFacts installment)
    {
        Installments.Add(installment.Id, installment);
        installment.Plan.Installments.Add(installment);
    }

    public void Add(RunFacts run)
    {
        Runs.Add(run.Id, run);
        OpenRuns.Add(run);
    }

    public void Remove(InstallmentFacts installment)
    {
        Installments.Remove(installment.Id);
        installment.Plan.Installments.Remove(installment);
    }

    public void Remove(PlanFacts plan)
    {
        foreach (var installment in plan.Installments.ToArray()) Remove(installment);
        Plans.Remove(plan.Id);
        plan.Agency.Plans.Remove(plan);
    }

    public void Remove(AgencyFacts agency)
    {
        foreach (var plan in agency.Plans.ToArray()) Remove(plan);
        Agencies.Remove(agency.Id);
    }
}
