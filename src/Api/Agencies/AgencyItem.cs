using Actors.Api.Answers;
using NodaTime;

namespace Actors.Api.Agencies;

/// <summary>One agency of the list.</summary>
/// <param name="Id">`agencies.id`.</param>
/// <param name="Name">Null only where an application's own table has agencies without a name.</param>
/// <param name="Timezone">The IANA zone of its wall clock.</param>
/// <param name="OverdueCutoffTime">The local time of day at which a date closes.</param>
/// <param name="DueSoonThresholdDays">How many days ahead an installment counts as due soon.</param>
/// <param name="State">`onTime`, `late`, `failed` or `paused`, by the database's clock.</param>
/// <param name="NextCutoff">Null while it is paused, or not known yet after a change of settings.</param>
/// <param name="LastCutoffDate">The latest local date that was served; null for an agency that never was.</param>
/// <param name="LastCutoff">The instant of that date's cutoff, under the settings of then.</param>
/// <param name="PausedAt">Since when its dates pass unserved.</param>
/// <param name="FailedAttempts">Failures since the last success.</param>
/// <param name="Error">What went wrong at the last of them.</param>
public sealed record AgencyItem(
    Guid Id,
    string? Name,
    string Timezone,
    LocalTime OverdueCutoffTime,
    int DueSoonThresholdDays,
    string State,
    WallTime? NextCutoff,
    LocalDate? LastCutoffDate,
    WallTime? LastCutoff,
    Instant? PausedAt,
    int FailedAttempts,
    string? Error)
{
    /// <summary>What it is ordered by where the order is by name; not part of the answer.</summary>
    internal string NameKey { get; init; } = "";

    internal static IReadOnlyList<CsvColumn<AgencyItem>> CsvColumns { get; } =
    [
        new("id", agency => agency.Id),
        new("name", agency => agency.Name),
        new("timezone", agency => agency.Timezone),
        new("overdueCutoffTime", agency => agency.OverdueCutoffTime),
        new("dueSoonThresholdDays", agency => agency.DueSoonThresholdDays),
        new("state", agency => agency.State),
        new("nextCutoff", agency => agency.NextCutoff?.Instant),
        new("nextCutoffLocal", agency => agency.NextCutoff?.Local),
        new("lastCutoffDate", agency => agency.LastCutoffDate),
        new("lastCutoff", agency => agency.LastCutoff?.Instant),
        new("pausedAt", agency => agency.PausedAt),
        new("failedAttempts", agency => agency.FailedAttempts),
        new("error", agency => agency.Error),
    ];
}
