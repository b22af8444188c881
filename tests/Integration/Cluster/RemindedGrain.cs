namespace Actors.Tests.Integration.Cluster;

[Alias("Actors.Tests.Cluster.IRemindedGrain")]
public interface IRemindedGrain : IGrainWithGuidKey
{
    /// <summary>Has itself reminded every minute, for the first time in one.</summary>
    [Alias("Remind")]
    Task Remind(string name);

    /// <summary>Stops a reminder by the reference it was given when it registered it.</summary>
    [Alias("Forget")]
    Task Forget(string name);

    /// <summary>The names of the reminders it has in the table, in order.</summary>
    [Alias("Reminders")]
    Task<string[]> Reminders();
}

/// <summary>A grain with reminders. One named <see cref="Broken"/> throws whenever it ticks.</summary>
[GrainType("reminded")]
public sealed class RemindedGrain : Grain, IRemindedGrain, IRemindable
{
    public const string Broken = "broken";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Dictionary<string, IGrainReminder> _registered = [];

    public async Task Remind(string name) =>
        _registered[name] = await this.RegisterOrUpdateReminder(name, Minute, Minute);

    public Task Forget(string name) => this.UnregisterReminder(_registered[name]);

    public async Task<string[]> Reminders() =>
        [.. (await this.GetReminders()).Select(reminder => reminder.ReminderName).Order(StringComparer.Ordinal)];

    public Task ReceiveReminder(string reminderName, TickStatus status) =>
        reminderName == Broken ? throw new InvalidOperationException("This tick fails.") : Task.CompletedTask;
}
