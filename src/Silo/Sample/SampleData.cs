using System.Globalization;
using System.Text;
using NodaTime;
using NodaTime.Text;

namespace Actors.Silo.Sample;

/// <summary>
/// The sample for a newcomer, as three CSV files for the import: one agency in each of the 14 zones of the seed, and
/// two whose cutoff is one and two minutes ahead. Plans and installments are in every status that the database has;
/// the pending ones are overdue already, due today, due soon, due later, and never due. The same instant and words
/// give the same files; the ids are always the same.
/// </summary>
/// <param name="Agencies">As for <c>import agencies</c>.</param>
/// <param name="Plans">As for <c>import plans</c>.</param>
/// <param name="Installments">As for <c>import installments</c>.</param>
public sealed record SampleData(string Agencies, string Plans, string Installments)
{
    private static readonly (string Name, string Zone, string Cutoff, string DueSoonDays)[] InZones =
    [
        ("Jacaranda College", "Australia/Brisbane", "", ""),
        ("Harbour Bridge Academy", "Australia/Sydney", "17:30", "5"),
        ("Laneway School of Design", "Australia/Melbourne", "18:00", "4"),
        ("Quokka Island Diving School", "Australia/Perth", "16:00", "7"),
        ("Barossa Cooking School", "Australia/Adelaide", "17:00", "3"),
        ("Sunset Film Workshop", "America/Los_Angeles", "17:00", "4"),
        ("Broadway Voice Studio", "America/New_York", "23:59:59", "2"),
        ("Lakeside Jazz Institute", "America/Chicago", "18:00", "4"),
        ("Greenwich Clock Makers", "Europe/London", "12:00", "10"),
        ("Rive Gauche Language School", "Europe/Paris", "19:00", "4"),
        ("Cherry Blossom Calligraphy", "Asia/Tokyo", "09:00", "14"),
        ("Orchid Garden Coding Camp", "Asia/Singapore", "17:00", "4"),
        ("Kiwi Sailing School", "Pacific/Auckland", "00:00", "30"),
        ("Everywhere Online University", "UTC", "17:00", "1"),
    ];

    private static readonly Duration[] Ahead = [Duration.FromSeconds(60), Duration.FromSeconds(120)];

    /// <summary>Makes the sample for an instant.</summary>
    /// <param name="now">The two cutoffs come 60 and 120 s after it, or after the next whole second.</param>
    /// <param name="planStatuses">The words that the database takes; `active` must be one.</param>
    /// <param name="installmentStatuses">The words that the database takes; `pending` must be one.</param>
    public static SampleData Create(
        Instant now, IReadOnlyList<string> planStatuses, IReadOnlyList<string> installmentStatuses)
    {
        var sample = new Writer(planStatuses, installmentStatuses);
        foreach (var (name, zone, cutoff, dueSoonDays) in InZones)
            sample.AddAgency(name, zone, cutoff, dueSoonDays, now.InZone(DateTimeZoneProviders.Tzdb[zone]).Date);
        foreach (var ahead in Ahead)
        {
            var cutoff = (WholeSecond(now) + ahead).InUtc();
            var minutes = ahead.TotalMinutes.ToString(CultureInfo.InvariantCulture);
            sample.AddAgency(
                $"Cutoff {minutes} min after the start", "UTC",
                LocalTimePattern.ExtendedIso.Format(cutoff.TimeOfDay), "", cutoff.Date);
        }

        return sample.Finish();
    }

    /// <summary>A cutoff has whole seconds; it is rounded up, so that it never comes early.</summary>
    private static Instant WholeSecond(Instant now)
    {
        var floor = Instant.FromUnixTimeSeconds(now.ToUnixTimeSeconds());
        return floor < now ? floor + Duration.FromSeconds(1) : floor;
    }

    private sealed class Writer(IReadOnlyList<string> planStatuses, IReadOnlyList<string> installmentStatuses)
    {
        private const int PendingDueToday = 3;
        private readonly StringBuilder agencies =
            new("id,name,timezone,overdue_cutoff_time,due_soon_threshold_days\n");
        private readonly StringBuilder plans = new("id,agency_id,status\n");
        private readonly StringBuilder installments = new("id,payment_plan_id,amount,student_due_date,status\n");
        private int agencyCount, planCount, installmentCount;

        public SampleData Finish() => new(agencies.ToString(), plans.ToString(), installments.ToString());

        public void AddAgency(string name, string zone, string cutoff, string dueSoonDays, LocalDate today)
        {
            var agency = Id('a', ++agencyCount);
            Line(agencies, agency, name, zone, cutoff, dueSoonDays);
            foreach (var status in planStatuses) AddPlan(agency, status, today);
        }

        /// <summary>A plan that is not active has pending ones too, which stay pending whatever their date.</summary>
        private void AddPlan(string agency, string status, LocalDate today)
        {
            var plan = Id('b', ++planCount);
            Line(plans, plan, agency, status);
            AddInstallment(plan, today.PlusDays(-31), "pending");
            AddInstallment(plan, today.PlusDays(-1), "pending");
            for (var copy = 0; copy < PendingDueToday; copy++) AddInstallment(plan, today, "pending");
            AddInstallment(plan, today.PlusDays(1), "pending");
            AddInstallment(plan, today.PlusDays(60), "pending");
            AddInstallment(plan, null, "pending");
            foreach (var (position, other) in installmentStatuses.Where(word => word != "pending").Index())
                AddInstallment(plan, today.PlusDays(-40 - (7 * position)), other);
        }

        private void AddInstallment(string plan, LocalDate? due, string status)
        {
            var number = ++installmentCount;
            var amount = 150m + (12.5m * (number % 37));
            Line(
                installments, Id('c', number), plan, amount.ToString("0.00", CultureInfo.InvariantCulture),
                due is { } date ? LocalDatePattern.Iso.Format(date) : "", status);
        }

        private static string Id(char kind, int number) =>
            string.Create(CultureInfo.InvariantCulture, $"{kind}0000000-0000-4000-8000-{number:D12}");

        /// <summary>None of the values needs quotes.</summary>
        private static void Line(StringBuilder file, params ReadOnlySpan<string?> values) =>
            file.AppendJoin(',', values).Append('\n');
    }
}
