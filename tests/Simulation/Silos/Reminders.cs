using Actors.Grains.Interfaces;
using Actors.Tests.Simulation.Machine;
using NodaTime;
using Orleans.Timers;

namespace Actors.Tests.Simulation.Silos;

/// <summary>
/// The persistent reminders: they outlive every silo, and tick on the grid that their first tick began, on time, early,
/// late, twice or not at all. What is due while no silo is up is lost, as with Orleans.
/// </summary>
internal sealed class Reminders(Agenda agenda, Chance chance, Storms storms) : IReminderRegistry
{
    private static readonly GrainType Agency = GrainType.Create("agency");
    private static readonly Duration ALittle = Duration.FromSeconds(5);
    private static readonly Duration Much = Duration.FromMinutes(20);

    private readonly Dictionary<GrainId, Reminder> _reminders = [];

    /// <summary>Called with the grain and what it is told, at each tick.</summary>
    public Action<AgencyId, TickStatus>? Ticked { get; set; }

    public static GrainId IdOf(AgencyId agency) =>
        GrainId.Create(Agency, GrainIdKeyExtensions.CreateGuidKey(agency.Value));

    public Task<IGrainReminder> RegisterOrUpdateReminder(
        GrainId callingGrainId, string reminderName, TimeSpan dueTime, TimeSpan period)
    {
        // The coordinator's reminder brings it back; the cluster does that.
        var reminder = new Reminder(reminderName, agenda.Now + Duration.FromTimeSpan(dueTime), period);
        if (callingGrainId.Type != Agency) return Task.FromResult<IGrainReminder>(reminder);
        if (storms.FailsReminder())
            return Task.FromException<IGrainReminder>(new TimeoutException("simulated: the reminder was not written"));
        _reminders[callingGrainId] = reminder;
        Schedule(callingGrainId, reminder, reminder.First);
        return Task.FromResult<IGrainReminder>(reminder);
    }

    public Task<IGrainReminder> RegisterOrUpdateReminder(
        GrainId callingGrainId, string reminderName, TimeSpan dueTime, TimeSpan period, CancellationToken ct) =>
        RegisterOrUpdateReminder(callingGrainId, reminderName, dueTime, period);

    public Task UnregisterReminder(GrainId callingGrainId, IGrainReminder reminder)
    {
        _reminders.Remove(callingGrainId);
        return Task.CompletedTask;
    }

    public Task UnregisterReminder(GrainId callingGrainId, IGrainReminder reminder, CancellationToken ct) =>
        UnregisterReminder(callingGrainId, reminder);

    public Task<IGrainReminder?> GetReminder(GrainId callingGrainId, string reminderName) =>
        Task.FromResult<IGrainReminder?>(_reminders.GetValueOrDefault(callingGrainId));

    public Task<IGrainReminder?> GetReminder(GrainId callingGrainId, string reminderName, CancellationToken ct) =>
        GetReminder(callingGrainId, reminderName);

    public Task<List<IGrainReminder>> GetReminders(GrainId callingGrainId) => throw new NotSupportedException();

    public Task<List<IGrainReminder>> GetReminders(GrainId callingGrainId, CancellationToken ct) =>
        throw new NotSupportedException();

    private void Schedule(GrainId grain, Reminder reminder, Instant at)
    {
        foreach (var arrival in Arrivals(at)) agenda.At(arrival, () => Tick(grain, reminder));
        agenda.At(at, () =>
        {
            if (IsCurrent(grain, reminder)) Schedule(grain, reminder, at + Duration.FromTimeSpan(reminder.Period));
        });
    }

    /// <summary>When a tick arrives: mostly once and on time.</summary>
    private IEnumerable<Instant> Arrivals(Instant at)
    {
        switch (chance.Below(100))
        {
            case < 3:
                storms.Note("a tick is lost");
                break;
            case < 6:
                storms.Note("a tick comes a little early");
                yield return at - chance.Between(
                    Duration.FromMilliseconds(1), chance.Percent(50) ? ALittle : Duration.FromSeconds(1));
                break;
            case < 7:
                storms.Note("a tick comes much too early");
                yield return at - chance.Between(ALittle + Duration.FromMilliseconds(1), Much);
                break;
            case < 10:
                storms.Note("a tick comes late");
                yield return at + chance.Between(Duration.FromMilliseconds(1), Duration.FromSeconds(40));
                break;
            case < 13:
                storms.Note("a tick comes twice");
                yield return at;
                yield return at + (chance.Percent(50) ? Duration.Zero : chance.Between(Duration.Zero, ALittle));
                break;
            default:
                yield return at;
                break;
        }
    }

    private void Tick(GrainId grain, Reminder reminder)
    {
        if (!IsCurrent(grain, reminder)) return;
        var status = new TickStatus(
            reminder.First.ToDateTimeUtc(), reminder.Period, agenda.Now.ToDateTimeUtc());
        Ticked?.Invoke(new AgencyId(grain.GetGuidKey()), status);
    }

    private bool IsCurrent(GrainId grain, Reminder reminder) =>
        ReferenceEquals(_reminders.GetValueOrDefault(grain), reminder);

    private sealed record Reminder(string ReminderName, Instant First, TimeSpan Period) : IGrainReminder;
}
