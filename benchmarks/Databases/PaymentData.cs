using NodaTime;

namespace Actors.Benchmarks.Databases;

/// <summary>
/// Agencies with plans and installments, as they stand just before a cutoff. All agencies are in UTC; each plan has the
/// same number of installments: some paid, some due and pending, the rest pending and due later.
/// </summary>
/// <param name="Agencies">How many agencies.</param>
/// <param name="PlansPerAgency">Active plans of each.</param>
/// <param name="InstallmentsPerPlan">Installments of each plan.</param>
/// <param name="PaidPerPlan">Those of them that are history.</param>
/// <param name="DuePerPlan">Those of them that a run is to mark: due three days before.</param>
internal sealed record PaymentData(
    int Agencies, int PlansPerAgency, int InstallmentsPerPlan, int PaidPerPlan, double DuePerPlan)
{
    /// <summary>How many a run marks.</summary>
    public int ToMark => (int)Math.Floor(Agencies * PlansPerAgency * (decimal)DuePerPlan);

    /// <summary>Rows of the table.</summary>
    public int Installments => Agencies * PlansPerAgency * InstallmentsPerPlan;

    /// <summary>In words, for the table.</summary>
    public string Described => FormattableString.Invariant(
        $"{Agencies:N0} agencies, {Agencies * PlansPerAgency:N0} plans, {Installments:N0} installments, ")
        + FormattableString.Invariant($"{ToMark:N0} of them to be marked");

    /// <summary>
    /// Fills a migrated database. Plans of an agency lie apart, as they do where they were sold over the years; the
    /// installments of a plan lie together. Every agency has been served up to the day before this one.
    /// </summary>
    public async Task FillAsync(BenchmarkDatabase database, LocalDate today)
    {
        await database.ExecuteAsync(
            """
            INSERT INTO agencies (name, timezone, overdue_cutoff_time)
            SELECT 'Agency ' || n, 'UTC', '17:00' FROM generate_series(1, @agencies) AS n
            """,
            ("agencies", Agencies));
        await database.ExecuteAsync(
            """
            INSERT INTO payment_plans (agency_id)
            SELECT a.id FROM generate_series(1, @plans) AS n CROSS JOIN agencies AS a ORDER BY n, a.id
            """,
            ("plans", PlansPerAgency));
        // The fraction of plans that have one more due than the others is the first so many in the order of places.
        await database.ExecuteAsync(
            """
            INSERT INTO installments (payment_plan_id, amount, student_due_date, status)
            SELECT p.id, 100,
                   CASE WHEN n <= @paid THEN @today - 30 * (@paid - n + 1)
                        WHEN n <= @paid + p.due THEN @today - 3
                        ELSE @today + 30 * (n - @paid) END,
                   CASE WHEN n <= @paid THEN 'paid' ELSE 'pending' END
            FROM (
              SELECT id, floor(row_number() OVER (ORDER BY ctid) * @due)::integer
                         - floor((row_number() OVER (ORDER BY ctid) - 1) * @due)::integer AS due
              FROM payment_plans) AS p,
              generate_series(1, @installments) AS n
            """,
            ("paid", PaidPerPlan), ("due", (decimal)DuePerPlan), ("installments", InstallmentsPerPlan),
            ("today", today));
        await database.ExecuteAsync("TRUNCATE events; TRUNCATE agency_changes");
        await database.ExecuteAsync("VACUUM (ANALYZE)");
    }
}
