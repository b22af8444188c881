using Actors.Tests.Simulation.Oracle;
using Actors.Tests.Simulation.Silos;
using NodaTime;

namespace Actors.Tests.Simulation.Application;

/// <summary>The application and its people: begins with some agencies, and does one thing after the other.</summary>
internal sealed class Life
{
    private readonly Desk _desk;
    private readonly Installments _installments;
    private readonly Agencies _agencies;
    private readonly Requests _requests;
    private readonly Cluster _cluster;
    private readonly int _usualNumber;
    private bool _isQuiet;

    public Life(Desk desk, Cluster cluster, int agencies)
    {
        (_desk, _cluster, _usualNumber) = (desk, cluster, agencies);
        _installments = new Installments(desk);
        _agencies = new Agencies(desk, _installments, () => AgencyChanged!());
        _requests = new Requests(desk, cluster);
    }

    public required Func<bool> IsDatabaseAway { get; init; }

    /// <summary>Called when an agency is new, has other settings, or goes on.</summary>
    public required Action AgencyChanged { get; init; }

    /// <summary>Called when somebody has done something: each deed is judged before the next.</summary>
    public required Action Acted { get; init; }

    public void Begin(string[] zones)
    {
        _desk.Do("zones are added",
            ["INSERT INTO supported_timezones (name) SELECT unnest(@zones) ON CONFLICT DO NOTHING"], ("zones", zones));
        for (var i = 0; i < _usualNumber; i++)
        {
            // Half of them share their cutoff with another.
            var all = _desk.Facts.Agencies.Values.ToArray();
            _agencies.Add(all.Length > 0 && _desk.Chance.Percent(50) ? _desk.Chance.Of(all) : null);
        }

        ScheduleNext();
    }

    /// <summary>Something that comes between two statements: mostly where a silo is at work just now.</summary>
    public void Interrupt()
    {
        var busy = _cluster.Busy.ToArray();
        if (_isQuiet || IsDatabaseAway()) return;
        if (busy.Length > 0 && _desk.Chance.Percent(70)
            && _desk.Facts.Agencies.TryGetValue(_desk.Chance.Of(busy).Value, out var agency)) Act(agency);
        else Act(Any());
    }

    /// <summary>Ends what somebody has begun and nobody waits for.</summary>
    public bool EndTransactionOf(int pid) => _requests.EndOf(pid);

    public void Watchdog() => _requests.RunInSql(isAsked: false);

    /// <summary>
    /// From here on nobody changes anything, and nothing is left to keep an agency from being served.
    /// </summary>
    public void Quieten()
    {
        _isQuiet = true;
        _requests.EndAll();
        foreach (var agency in _desk.Facts.Agencies.Values.ToArray())
        {
            _agencies.Heal(agency);
            _agencies.Resume(agency);
        }
    }

    /// <summary>Some three things a day for each agency.</summary>
    private void ScheduleNext() => _desk.Agenda.After(
        _desk.Chance.Between(Duration.Zero, Duration.FromHours(16) / _usualNumber), () =>
        {
            if (_isQuiet) return;
            if (!IsDatabaseAway()) Act(Any());
            ScheduleNext();
        });

    private void Act(AgencyFacts agency)
    {
        switch (_desk.Chance.Below(100))
        {
            case < 72:
                _installments.Act(agency);
                break;
            case < 82:
                _agencies.Act(agency, _usualNumber);
                break;
            default:
                _requests.Act(agency);
                break;
        }

        Acted();
    }

    private AgencyFacts Any() => _desk.Chance.Of([.. _desk.Facts.Agencies.Values]);
}
