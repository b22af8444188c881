using System.Globalization;
using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;
using Npgsql;

namespace Actors.Silo.Doctor;

/// <summary>Whether NodaTime, which decides, and PostgreSQL mean the same by the zones that agencies use.</summary>
internal static class ZoneCheck
{
    private const string Subject = "time zones";
    private const string ZonesInUse = "SELECT timezone, count(*) FROM public.agencies GROUP BY timezone";
    private static readonly OffsetPattern Offsets = OffsetPattern.CreateWithInvariantCulture("m");

    public static async Task<IReadOnlyList<Finding>> RunAsync(
        NpgsqlDataSource database, Instant now, CancellationToken cancellationToken)
    {
        var agencies = new Dictionary<string, long>();
        await using (var command = database.CreateCommand(ZonesInUse))
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken)) agencies.Add(reader.GetString(0), reader.GetInt64(1));
        }

        if (agencies.Count == 0) return [Finding.Ok(Subject, "No agency uses any.")];
        return Judge(await TimeZoneComparison.CompareAsync(database, agencies.Keys, now, cancellationToken), agencies);
    }

    private static IReadOnlyList<Finding> Judge(TimeZoneReport report, Dictionary<string, long> agencies)
    {
        // Without what the distribution adds: 15.18 (Debian 15.18-0+deb12u1).
        var postgres = $"PostgreSQL {report.PostgresVersion.Split(' ')[0]}";
        var releases = $"NodaTime (TZDB {report.TzdbVersion}) and {postgres}";
        if (report.Agrees)
        {
            var zones = report.Compared.Count == 1 ? "the one zone" : Invariant($"all {report.Compared.Count} zones");
            return [Finding.Ok(Subject, $"{releases} agree on {zones} in use, until {report.Until:uuuu-MM-dd}.")];
        }

        return
        [
            .. report.UnknownToNodaTime.Select(zone => Finding.Problem(
                Subject,
                $"'{zone}', used by {Agencies(agencies[zone])}, is unknown to NodaTime (TZDB {report.TzdbVersion}): no "
                + "cutoff can be told, so they are not served until agencies.timezone is corrected.")),
            .. report.UnknownToPostgres.Except(report.UnknownToNodaTime).Select(zone => Finding.Warning(
                Subject,
                $"'{zone}', used by {Agencies(agencies[zone])}, is unknown to {postgres}: silos "
                + "serve it, but update_installment_statuses() cannot; update the server's tzdata.")),
            .. report.Differences.Select(difference => Finding.Warning(
                Subject, Describe(difference, releases, Agencies(agencies[difference.Zone])))),
        ];
    }

    private static string Describe(TimeZoneDifference difference, string releases, string agencies)
    {
        var what = $"{releases} differ on '{difference.Zone}', used by {agencies}, from "
            + $"{InstantPattern.General.Format(difference.First)}: {Utc(difference.NodaTime)} against "
            + $"{Utc(difference.Postgres)}. NodaTime decides; only update_installment_statuses(), run without a silo, "
            + "would differ";
        return difference.ReadAsAbbreviation
            ? $"{what}. PostgreSQL takes this name for an abbreviation with a fixed offset: use a zone of the region "
                + $"instead, such as {RegionOf(difference.Zone)}."
            : $"{what}, and agrees again when the older of the two is updated.";
    }

    /// <summary>The tz database itself links the old names to the city whose rules they follow.</summary>
    private static string RegionOf(string zone) =>
        TzdbDateTimeZoneSource.Default.CanonicalIdMap[zone] is var region && region != zone
            ? region
            : "Europe/Brussels";

    private static string Utc(Offset offset) => $"UTC{Offsets.Format(offset)}";

    private static string Agencies(long count) => count == 1 ? "1 agency" : Invariant($"{count:N0} agencies");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
