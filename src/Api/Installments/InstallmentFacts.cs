using Actors.Api.Access;
using Actors.Api.Agencies;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Installments;

/// <summary>What the database says of one installment, as the caller may see it.</summary>
/// <param name="MarkedBy">The newest run that marked it and was not taken back.</param>
/// <param name="UndoneRuns">Runs that marked it and were taken back, the newest first.</param>
internal sealed record InstallmentFacts(
    Guid Id,
    Guid PaymentPlanId,
    Guid AgencyId,
    decimal? Amount,
    LocalDate? DueDate,
    string Status,
    string PlanStatus,
    LedgerItem? MarkedBy,
    IReadOnlyList<LedgerItem> UndoneRuns)
{
    private const string Installment =
        $"""
        SELECT i.id, i.payment_plan_id, p.agency_id, {InstallmentSql.Amount}, {Agencies.DueDate.Sql},
               i.status::text, p.status::text
        FROM installments i
        JOIN payment_plans p ON p.id = i.payment_plan_id
        JOIN agencies a ON a.id = p.agency_id
        WHERE i.id = @installment
        """;

    /// <summary>How many runs of one installment are shown; more than one only after undos.</summary>
    private const string Runs =
        $"""
        SELECT coalesce(@installment = ANY (u.restored_ids), false), {LedgerItem.Columns}
        {LedgerItem.Source}
        WHERE r.agency_id = @agency AND r.completed_at >= @since AND @installment = ANY (r.installment_ids)
        ORDER BY r.completed_at DESC, r.id DESC
        LIMIT 20
        """;

    /// <summary>Reads an installment; null where the caller sees none with this id.</summary>
    public static async Task<InstallmentFacts?> ReadAsync(
        CallerSession session, Guid installment, CancellationToken cancellationToken)
    {
        var rows = await session.ReadAsync(
            Installment, Read, cancellationToken, new NpgsqlParameter("installment", installment));
        if (rows is not [var facts]) return null;

        // The ledger since its due date is what such an installment stands in. Only where that does not explain what
        // is seen, its due date was put off after it was marked, and the whole ledger of the agency is looked through.
        var since = Agencies.DueDate.LedgerSince(facts.DueDate ?? Agencies.DueDate.Unknown);
        var beginning = Agencies.DueDate.LedgerSince(Agencies.DueDate.Unknown);
        var runs = await RunsAsync(session, facts, since, cancellationToken);
        if (facts.Status == "overdue" && !runs.Any(run => !run.WasRestored))
            runs = await RunsAsync(session, facts, beginning, cancellationToken);
        return facts with
        {
            MarkedBy = runs.FirstOrDefault(run => !run.WasRestored).Run,
            UndoneRuns = [.. runs.Where(run => run.WasRestored).Select(run => run.Run)],
        };
    }

    private static Task<IReadOnlyList<(bool WasRestored, LedgerItem Run)>> RunsAsync(
        CallerSession session, InstallmentFacts facts, Instant since, CancellationToken cancellationToken) =>
        session.ReadAsync(
            Runs,
            reader => (reader.GetBoolean(0), LedgerItem.Read(reader, 1)),
            cancellationToken,
            new NpgsqlParameter("installment", facts.Id),
            new NpgsqlParameter("agency", facts.AgencyId),
            new NpgsqlParameter("since", NpgsqlDbType.TimestampTz) { Value = since });

    private static InstallmentFacts Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(0),
        reader.GetGuid(1),
        reader.GetGuid(2),
        reader.ValueOrNull<decimal>(3),
        reader.ValueOrNull<LocalDate>(4),
        reader.TextOrNull(5) ?? "",
        reader.TextOrNull(6) ?? "",
        null,
        []);
}
