using NodaTime;

namespace Actors.Api.Agencies;

/// <summary>The settings of an agency after they were made or changed, and what follows from them.</summary>
/// <param name="Id">`agencies.id`.</param>
/// <param name="Changed">The names of the settings that this request changed; none where all were so already.</param>
/// <param name="NextCutoff">
/// The next date that closes by itself, of what has not passed yet; null where the rule cannot be asked.
/// </param>
/// <param name="Today">How the agency's local today stands to its cutoff; null where the rule cannot be asked.</param>
/// <param name="Notice">Why something is null that need not be, in one sentence.</param>
public sealed record AgencySettingsAnswer(
    Guid Id,
    string? Name,
    string Timezone,
    LocalTime OverdueCutoffTime,
    int DueSoonThresholdDays,
    IReadOnlyList<string> Changed,
    CutoffTime? NextCutoff,
    TodaysCutoff? Today,
    string? Notice)
{
    internal static AgencySettingsAnswer From(
        Guid id, AgencySettings settings, IReadOnlyList<string> changed, LocalDate? lastServed, AgencyRule rule) => new(
        id,
        settings.Name,
        settings.Timezone,
        settings.OverdueCutoffTime,
        settings.DueSoonThresholdDays,
        changed,
        CutoffTime.Of(rule.Outlook) is [var next, ..] ? next : null,
        TodaysCutoff.Of(rule, lastServed),
        rule.Notice);
}

/// <summary>How an agency's local today stands to its cutoff under the settings of now.</summary>
/// <param name="Date">The local date.</param>
/// <param name="HasPassed">Its cutoff has passed: what was due by it is overdue, or becomes so at once.</param>
/// <param name="HasPassedThereby">
/// It had not been served before this request: the silos serve it now, or as soon as the agency is resumed.
/// </param>
public sealed record TodaysCutoff(LocalDate Date, bool HasPassed, bool HasPassedThereby)
{
    internal static TodaysCutoff? Of(AgencyRule rule, LocalDate? lastServed)
    {
        if (rule is not { Today: { } today, ClosedThrough: { } closed }) return null;
        var hasPassed = closed >= today;
        return new TodaysCutoff(today, hasPassed, hasPassed && (lastServed is null || lastServed < today));
    }
}
