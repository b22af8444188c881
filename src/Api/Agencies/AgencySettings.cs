using System.Security.Cryptography;
using System.Text.Json;
using NodaTime;
using NodaTime.Text;
using Npgsql;

namespace Actors.Api.Agencies;

/// <summary>What an admin may change of an agency; all of it decides what becomes overdue when, but the name.</summary>
/// <param name="Name">For people; an application's own table may have agencies without one.</param>
/// <param name="Timezone">The IANA zone of its wall clock, a row of `supported_timezones`.</param>
/// <param name="OverdueCutoffTime">The local time of day at which a date closes.</param>
/// <param name="DueSoonThresholdDays">How many days ahead an installment counts as due soon.</param>
internal sealed record AgencySettings(
    string? Name, string Timezone, LocalTime OverdueCutoffTime, int DueSoonThresholdDays)
{
    public static readonly LocalTime UsualCutoffTime = new(17, 0);
    public const int UsualDueSoonThresholdDays = 4;

    /// <summary>For the API's document.</summary>
    public const string ETagDescription =
        "The tag of the agency's settings as they are now, for If-Match; counts and states are no part of it.";

    /// <summary>The columns that <see cref="Read"/> takes, in its order, of `agencies` as `a`.</summary>
    public const string Columns = "a.name, a.timezone, a.overdue_cutoff_time, a.due_soon_threshold_days";

    /// <summary>
    /// A strong entity tag of the content: it changes with each of the four, whoever changed it and how, and with
    /// nothing else. What is shown beside the settings, such as counts of installments, is not part of it.
    /// </summary>
    public string ETag
    {
        get
        {
            var content = JsonSerializer.SerializeToUtf8Bytes<string?[]>(
                [Name, Timezone, LocalTimePattern.ExtendedIso.Format(OverdueCutoffTime), $"{DueSoonThresholdDays}"]);
            return $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(..16))}\"";
        }
    }

    /// <summary>The names, as the API spells them, of what is not the same in another's settings.</summary>
    public IReadOnlyList<string> DifferencesTo(AgencySettings other)
    {
        List<string> different = [];
        if (Name != other.Name) different.Add(AgencyBody.Name);
        if (Timezone != other.Timezone) different.Add(AgencyBody.Timezone);
        if (OverdueCutoffTime != other.OverdueCutoffTime) different.Add(AgencyBody.OverdueCutoffTime);
        if (DueSoonThresholdDays != other.DueSoonThresholdDays) different.Add(AgencyBody.DueSoonThresholdDays);
        return different;
    }

    /// <summary>Reads <see cref="Columns"/>, from a column on.</summary>
    public static AgencySettings Read(NpgsqlDataReader reader, int from) => new(
        reader.IsDBNull(from) ? null : reader.GetString(from),
        reader.GetString(from + 1),
        reader.GetFieldValue<LocalTime>(from + 2),
        reader.GetInt32(from + 3));
}
