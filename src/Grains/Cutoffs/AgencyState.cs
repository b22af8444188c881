using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Grains.Cutoffs;

/// <summary>
/// What the database says of one agency at one moment: its settings of now, and how far it has been served.
/// Read under a lock on its watermark, so it holds until the transaction ends.
/// </summary>
/// <param name="Timezone">An IANA zone id, as it stands in `agencies`; NodaTime may not know it.</param>
/// <param name="CutoffTime">The local time of day at which a date closes.</param>
/// <param name="LastDate">The latest date that was served; null for an agency that was never armed.</param>
/// <param name="LastAt">The instant of that date's cutoff.</param>
/// <param name="NextAt">The stored instant of the next cutoff; null when it must be computed.</param>
/// <param name="SettingsChangedAt">Lateness counts from the later of this and the cutoff.</param>
/// <param name="FailedAttempts">Failures in a row.</param>
internal sealed record AgencyState(
    AgencyId Agency,
    string Timezone,
    LocalTime CutoffTime,
    LocalDate? LastDate,
    Instant? LastAt,
    Instant? NextAt,
    Instant SettingsChangedAt,
    bool IsPaused,
    int FailedAttempts);
