using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Installments;
using Actors.Api.Requests;
using Actors.Grains.Interfaces;
using NodaTime;
using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Agencies;

/// <summary>
/// Reads a preview as the caller: what the rule decided comes in as dates, and nothing is decided here.
/// </summary>
/// <param name="session">The caller's.</param>
/// <param name="outlook">What the rule says.</param>
internal sealed class PreviewSql(CallerSession session, CutoffOutlook outlook)
{
    public static readonly QueryKind[] KeyKinds = [QueryKind.Date, QueryKind.Id];

    private const string Order = $"coalesce({DueDate.Sql}, 'infinity')";

    private const string Source =
        "FROM payment_plans p JOIN installments i ON i.payment_plan_id = p.id WHERE p.agency_id = @agency";

    private const string Totals =
        $$"""
        SELECT {{MarkingReason.Sql}} AS reason, {currency}, count(*), coalesce(sum({{InstallmentSql.Amount}}), 0)
        {{Source}}
        GROUP BY 1, 2
        ORDER BY 1
        """;

    /// <summary>
    /// The newest run that marked each of some installments and was not taken back, looked for among the runs of the
    /// agency since the earliest of their due dates.
    /// </summary>
    private const string Marks =
        """
        SELECT DISTINCT ON (m.id) m.id, r.cutoff_at, r.timezone
        FROM agency_runs r
        CROSS JOIN LATERAL unnest(r.installment_ids) AS m (id)
        WHERE r.agency_id = @agency AND r.completed_at >= @since AND r.installment_ids && @ids AND m.id = ANY (@ids)
          AND NOT EXISTS (
            SELECT FROM agency_run_undos u WHERE u.agency_run_id = r.id AND m.id = ANY (u.restored_ids))
        ORDER BY m.id, r.completed_at DESC
        """;

    public static object?[] KeysOf(PreviewItem item) => [item.DueDate, item.InstallmentId];

    public async Task<IReadOnlyList<ReasonTotal>> TotalsAsync(CancellationToken cancellationToken)
    {
        var currency = await InstallmentSql.CurrencyAsync(session, cancellationToken);
        var rows = await session.ReadAsync(
            Totals.WithCurrency(currency),
            reader => (
                Reason: reader.GetString(0),
                Part: (reader.TextOrNull(1), reader.GetInt64(2), reader.GetDecimal(3))),
            cancellationToken,
            [.. Rule()]);
        return
        [
            .. from row in rows
               group row.Part by row.Reason into reason
               let total = AmountTotal.Of(reason)
               select new ReasonTotal(reason.Key, total.Count, total.Amounts),
        ];
    }

    /// <summary>Reads up to so many installments after the keys of one, or from the first on.</summary>
    /// <param name="reason">Only those with this reason; null for all.</param>
    /// <param name="after">The due date and the id of the row before.</param>
    /// <param name="rows">How many.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<IReadOnlyList<PreviewItem>> ReadAsync(
        string? reason, object?[]? after, int rows, CancellationToken cancellationToken)
    {
        List<NpgsqlParameter> parameters = [.. Rule(), new("rows", rows)];
        var sql = PageSql(reason, after, parameters);
        var items = await session.ReadAsync(sql, Read, cancellationToken, [.. parameters]);
        return await WithMarksAsync(items, cancellationToken);
    }

    internal static string PageSql(string? reason, object?[]? after, List<NpgsqlParameter> parameters)
    {
        var filter = "";
        if (reason == MarkingReason.Due)
        {
            // Found by the index that a run uses too.
            filter = $" AND {MarkingReason.IsDue}";
        }
        else if (reason is not null)
        {
            filter = $" AND {MarkingReason.Sql} = @reason";
            parameters.Add(new("reason", reason));
        }

        if (after is not null)
        {
            filter += $" AND ({Order}, i.id) > (coalesce(@after_date, 'infinity'::date), @after_id)";
            parameters.Add(new("after_date", NpgsqlDbType.Date) { Value = after[0] ?? DBNull.Value });
            parameters.Add(new("after_id", NpgsqlDbType.Uuid) { Value = after[1] });
        }

        return $"""
            SELECT i.id, i.payment_plan_id, {InstallmentSql.Amount}, {DueDate.Sql}, i.status::text, p.status::text,
                   {MarkingReason.Sql}
            {Source}{filter}
            ORDER BY {Order}, i.id
            LIMIT @rows
            """;
    }

    private NpgsqlParameter[] Rule() =>
    [
        new("agency", outlook.Agency.Value),
        new("marks_through", NpgsqlDbType.Date)
        {
            Value = outlook.MarksThrough is { } date ? date : DBNull.Value,
        },
        new("nothing_marked", NpgsqlDbType.Text) { Value = MarkingReason.NothingMarked(outlook) },
    ];

    private PreviewItem Read(NpgsqlDataReader reader)
    {
        var due = reader.ValueOrNull<LocalDate>(3);
        var reason = reader.GetString(6);
        var wouldMark = reason == MarkingReason.Due;
        return new PreviewItem(
            reader.GetGuid(0),
            reader.GetGuid(1),
            reader.ValueOrNull<decimal>(2),
            due,
            reader.TextOrNull(4) ?? "",
            reader.TextOrNull(5) ?? "",
            wouldMark,
            reason,
            wouldMark && due is { } date && outlook.FirstDate is { } first ? LocalDate.Max(date, first) : null,
            reason == MarkingReason.NotDueUntil ? due : null,
            null);
    }

    private async Task<IReadOnlyList<PreviewItem>> WithMarksAsync(
        IReadOnlyList<PreviewItem> items, CancellationToken cancellationToken)
    {
        var overdue = items.Where(item => item.Reason == MarkingReason.AlreadyOverdue).ToArray();
        if (overdue.Length == 0) return items;
        var marks = (await session.ReadAsync(
            Marks,
            reader => (Id: reader.GetGuid(0), At: reader.ValueOrNull<Instant>(1), Timezone: reader.GetString(2)),
            cancellationToken,
            new NpgsqlParameter("agency", outlook.Agency.Value),
            new NpgsqlParameter("ids", overdue.Select(item => item.InstallmentId).ToArray()),
            new NpgsqlParameter("since", NpgsqlDbType.TimestampTz)
            {
                Value = DueDate.LedgerSince(overdue.Min(item => item.DueDate ?? DueDate.Unknown)),
            })).ToDictionary(mark => mark.Id, mark => WallTime.At(mark.At, mark.Timezone));
        return [.. items.Select(item => item with { OverdueSince = marks.GetValueOrDefault(item.InstallmentId) })];
    }
}
