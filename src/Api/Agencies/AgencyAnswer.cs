using Actors.Api.Answers;
using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Api.Agencies;

/// <summary>One agency, as it stands at one moment.</summary>
/// <param name="Id">`agencies.id`.</param>
/// <param name="Name">Null only where an application's own table has agencies without a name.</param>
/// <param name="Timezone">The IANA zone of its wall clock.</param>
/// <param name="OverdueCutoffTime">The local time of day at which a date closes.</param>
/// <param name="DueSoonThresholdDays">How many days ahead an installment counts as due soon.</param>
/// <param name="State">`onTime`, `late`, `failed` or `paused`.</param>
/// <param name="AsOf">The moment, by the database's clock.</param>
/// <param name="NextCutoffs">
/// The next five dates that close; while it is paused, those that would. Null where the rule cannot be asked.
/// </param>
/// <param name="LastServed">The latest local date that was served; null for an agency that never was.</param>
/// <param name="LastRun">The newest row of its ledger, also one beside the cutoffs.</param>
/// <param name="Unserved">
/// What is unserved though its cutoff has passed; while it is paused, what a resume would serve or skip. Null where
/// nothing is.
/// </param>
/// <param name="Pause">Since when, by whom and why it is paused; null where it is not.</param>
/// <param name="Failure">What went wrong since the last success; null where nothing did.</param>
/// <param name="Installments">Its installments in numbers.</param>
/// <param name="TzdbVersion">The release of the tz database that decides; null where no silo answers.</param>
/// <param name="Notice">Why something is null that need not be, in one sentence.</param>
public sealed record AgencyAnswer(
    Guid Id,
    string? Name,
    string Timezone,
    LocalTime OverdueCutoffTime,
    int DueSoonThresholdDays,
    string State,
    WallTime AsOf,
    IReadOnlyList<CutoffTime>? NextCutoffs,
    ServedDate? LastServed,
    LedgerItem? LastRun,
    UnservedCutoffs? Unserved,
    Pause? Pause,
    Failure? Failure,
    AgencyTotals Installments,
    string? TzdbVersion,
    string? Notice)
{
    internal static AgencyAnswer From(
        Guid id, AgencyFacts facts, AgencyRule rule, LedgerItem? lastRun, AgencyTotals totals)
    {
        var settings = facts.Settings;
        return new AgencyAnswer(
            id,
            settings.Name,
            settings.Timezone,
            settings.OverdueCutoffTime,
            settings.DueSoonThresholdDays,
            facts.State,
            WallTime.At(facts.Now, settings.Timezone),
            CutoffTime.Of(rule.Outlook),
            facts is { LastDate: { } date, LastAt: { } at }
                ? new ServedDate(date, WallTime.At(at, settings.Timezone))
                : null,
            lastRun,
            UnservedCutoffs.Of(facts, rule.Outlook),
            Agencies.Pause.Of(facts),
            Agencies.Failure.Of(facts),
            totals,
            rule.Outlook?.TzdbVersion,
            rule.Notice);
    }
}

/// <summary>The cutoff of one local date.</summary>
/// <param name="Date">The local date that it closes.</param>
/// <param name="At">When; on a clock change this need not be the agency's cutoff time.</param>
/// <param name="Resolution">
/// `once`; `shifted`: the local time is skipped by a clock change; `laterOfTwo`: it happens twice; `dateAbsent`: the
/// whole date is skipped.
/// </param>
public sealed record CutoffTime(LocalDate Date, WallTime At, string Resolution)
{
    internal static CutoffTime From(Cutoff cutoff, string timezone) => new(
        cutoff.Date,
        WallTime.At(cutoff.At, timezone),
        cutoff.Resolution switch
        {
            CutoffResolution.Once => "once",
            CutoffResolution.Shifted => "shifted",
            CutoffResolution.LaterOfTwo => "laterOfTwo",
            CutoffResolution.DateAbsent => "dateAbsent",
            _ => throw new ArgumentOutOfRangeException(nameof(cutoff), cutoff, "no word is known for this resolution"),
        });

    /// <summary>The next cutoffs, in their order; null where they are not known.</summary>
    internal static IReadOnlyList<CutoffTime>? Of(CutoffOutlook? outlook) => outlook is { Problem: null }
        ? [.. outlook.NextCutoffs.Select(cutoff => From(cutoff, outlook.Timezone))]
        : null;
}

/// <summary>A local date that was served.</summary>
/// <param name="Cutoff">The instant of its cutoff, under the settings of then, on the wall clock of now.</param>
public sealed record ServedDate(LocalDate Date, WallTime Cutoff);

/// <summary>What is unserved though its cutoff has passed.</summary>
/// <param name="Since">The first of these cutoffs, as it is stored; null where it is unknown.</param>
/// <param name="Seconds">How long ago that was.</param>
/// <param name="FirstDate">The first unserved date; null where the rule cannot be asked.</param>
/// <param name="LastDate">The last of them.</param>
/// <param name="Dates">How many they are.</param>
public sealed record UnservedCutoffs(
    WallTime? Since, double? Seconds, LocalDate? FirstDate, LocalDate? LastDate, int? Dates)
{
    internal static UnservedCutoffs? Of(AgencyFacts facts, CutoffOutlook? outlook)
    {
        Instant? since = facts.NextAt is { } next && next <= facts.Now ? next : null;
        var unserved = outlook?.WouldServe;
        if (since is null && unserved is null && facts.State != "late") return null;
        return new UnservedCutoffs(
            WallTime.At(since, facts.Settings.Timezone),
            since is { } from ? Math.Round((facts.Now - from).TotalSeconds, 3) : null,
            unserved?.First,
            unserved?.Last,
            unserved?.Count);
    }
}

/// <summary>That an agency is paused: its dates pass unserved.</summary>
/// <param name="Since">When it was paused.</param>
/// <param name="By">By whom; null where that was done straight in SQL.</param>
/// <param name="Reason">Why, in their words.</param>
public sealed record Pause(WallTime Since, string? By, string? Reason)
{
    internal static Pause? Of(AgencyFacts facts) => facts.PausedAt is { } at
        ? new Pause(WallTime.At(at, facts.Settings.Timezone), facts.PausedBy, facts.PausedReason)
        : null;
}

/// <summary>What went wrong since the last success.</summary>
/// <param name="Attempts">How often in a row.</param>
/// <param name="Error">What went wrong the last time.</param>
/// <param name="SetAsideUntil">The sweep leaves it alone until then; null where it is tried at the next sweep.</param>
public sealed record Failure(int Attempts, string? Error, WallTime? SetAsideUntil)
{
    internal static Failure? Of(AgencyFacts facts) => facts.FailedAttempts > 0
        ? new Failure(
            facts.FailedAttempts, facts.LastError, WallTime.At(facts.SetAsideUntil, facts.Settings.Timezone))
        : null;
}
