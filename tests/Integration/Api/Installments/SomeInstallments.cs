using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Api.Installments;

/// <summary>
/// Agencies with installments that are due so many days from their own local today. Which day that is is PostgreSQL's
/// clock to say; two zones that are 24 hours apart are chosen so that it is far from midnight in both, and so that it
/// is never the same day in them.
/// </summary>
public sealed class SomeInstallments : IAsyncLifetime
{
    private static readonly (string East, string West)[] Pairs =
        [("Etc/GMT-14", "Etc/GMT+10"), ("Etc/GMT-13", "Etc/GMT+11"), ("Etc/GMT-12", "Etc/GMT+12")];

    public ListsApi Api { get; } = new();

    /// <summary>A zone in which it is a day later than in <see cref="West"/>.</summary>
    public string East { get; private set; } = "";

    public string West { get; private set; } = "";

    public LocalDate TodayInEast { get; private set; }

    public LocalDate TodayIn(string zone) => zone == East ? TodayInEast : TodayInEast.PlusDays(-1);

    public async ValueTask InitializeAsync()
    {
        await Api.InitializeAsync();
        var now = Instant.FromDateTimeUtc(await Api.AskAsync<DateTime>("SELECT clock_timestamp()"));
        (East, West) = Pairs.MinBy(pair => HoursFromNoon(now, pair.East));
        TodayInEast = now.InZone(DateTimeZoneProviders.Tzdb[East]).Date;
    }

    /// <summary>Empties the tables, and makes the two zones usable.</summary>
    public async Task ClearAsync()
    {
        await Api.ClearAsync();
        await Api.ExecuteAsync(
            "INSERT INTO supported_timezones (name) VALUES ($1), ($2) ON CONFLICT DO NOTHING", East, West);
    }

    /// <summary>
    /// A new agency, which was served through yesterday by its own today; its cutoff is at the end of the day.
    /// </summary>
    public async Task<Guid> AddAgencyAsync(
        string zone, int dueSoonDays = 4, int servedThrough = -1, string name = "any", Guid? id = null)
    {
        var agency = id ?? Guid.NewGuid();
        await Api.ExecuteAsync(
            "INSERT INTO agencies (id, name, timezone, due_soon_threshold_days, overdue_cutoff_time) "
            + "VALUES ($1, $2, $3, $4, '23:59:59')",
            agency, name, zone, dueSoonDays);
        await Api.ExecuteAsync(
            $"""
            UPDATE agency_cutoffs
            SET last_cutoff_date = '{TodayIn(zone).PlusDays(servedThrough):uuuu-MM-dd}', last_cutoff_at = now(),
                next_cutoff_date = NULL, next_cutoff_at = NULL
            WHERE agency_id = $1
            """,
            agency);
        return agency;
    }

    /// <summary>A new plan of an agency.</summary>
    public async Task<Guid> AddPlanAsync(Guid agency, string status = "active")
    {
        var plan = Guid.NewGuid();
        await Api.ExecuteAsync(
            "INSERT INTO payment_plans (id, agency_id, status) VALUES ($1, $2, $3)", plan, agency, status);
        return plan;
    }

    /// <summary>A new installment that is due so many days from that zone's today; null: it has no due date.</summary>
    public async Task<Guid> AddAsync(
        Guid plan, string zone, int? dueIn, string status = "pending", decimal amount = 10, Guid? id = null)
    {
        var installment = id ?? Guid.NewGuid();
        var due = dueIn is { } days ? $"'{TodayIn(zone).PlusDays(days):uuuu-MM-dd}'" : "NULL";
        await Api.ExecuteAsync(
            $"INSERT INTO installments (id, payment_plan_id, amount, student_due_date, status) "
            + $"VALUES ($1, $2, $3, {due}, $4)",
            installment, plan, amount, status);
        return installment;
    }

    public ValueTask DisposeAsync() => Api.DisposeAsync();

    private static long HoursFromNoon(Instant now, string zone) =>
        Math.Abs(now.InZone(DateTimeZoneProviders.Tzdb[zone]).TimeOfDay.Hour - 12);
}
