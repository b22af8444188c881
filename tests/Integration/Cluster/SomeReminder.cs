namespace Actors.Tests.Integration.Cluster;

/// <summary>Reminders whose content does not matter, unless a test says so.</summary>
internal static class SomeReminder
{
    /// <summary>A reminder of the grain, or of one that nobody else has.</summary>
    public static ReminderEntry Entry(GrainId? grain = null, string name = "foo/bar\\#b_a_z?") => new()
    {
        GrainId = grain ?? GrainId.Create("agency", Guid.NewGuid().ToString("N")),
        ReminderName = name,
        StartAt = SomeSilo.Start,
        Period = TimeSpan.FromMinutes(1),
    };
}
