using Actors.Api.Access;

namespace Actors.Api.Installments;

/// <summary>What the statements about installments have in common.</summary>
internal static class InstallmentSql
{
    /// <summary>
    /// Pending, under an active plan, not yet due for marking, and due between the agency's local today and as many
    /// days ahead as it has set, both included.
    /// </summary>
    public const string IsDueSoon =
        $"""
        (i.status = 'pending' AND p.status = 'active'
          AND i.student_due_date BETWEEN z.today AND z.today + a.due_soon_threshold_days
          AND i.student_due_date > coalesce(c.last_cutoff_date, '-infinity')
          AND (i.student_due_date > z.today OR {LocalDays.IsOpen}))
        """;

    /// <summary>
    /// A due date that every calendar can hold; the application's table may have others, such as infinity.
    /// </summary>
    public const string IsDated = "i.student_due_date BETWEEN '0001-01-01' AND '9998-12-31'";

    /// <summary>The due date, or null.</summary>
    public const string DueDate = $"CASE WHEN {IsDated} THEN i.student_due_date END";

    /// <summary>
    /// The amount, or null where it is no number that can be shown: PostgreSQL's own reach to NaN, which is greater
    /// than every number, and to infinity.
    /// </summary>
    public const string Amount = "CASE WHEN abs(i.amount) < 1e18 THEN i.amount END";

    /// <summary>From the due date to the agency's local today.</summary>
    public const string DaysPastDue = $"(z.today - {DueDate})";

    /// <summary>
    /// The columns that <see cref="InstallmentItem.Read"/> takes, in its order; `{currency}` is to be filled.
    /// </summary>
    public const string Columns =
        $$"""
        i.id, i.payment_plan_id, p.status::text, a.id, a.name, a.timezone, {{Amount}}, {currency}, {{DueDate}},
        i.status::text, {{IsDueSoon}}, {{DaysPastDue}}
        """;

    /// <summary>Where they come from.</summary>
    public const string Source =
        $"""
        FROM installments i
        JOIN payment_plans p ON p.id = i.payment_plan_id
        JOIN agencies a ON a.id = p.agency_id
        LEFT JOIN agency_cutoffs c ON c.agency_id = a.id
        {LocalDays.Join}
        """;

    /// <summary>The longest time ahead, in days, in which something may be due soon; agencies are held to it.</summary>
    public const int DueSoonDaysAtMost = 30;

    private const string HasCurrencySql =
        """
        SELECT EXISTS (
          SELECT FROM pg_attribute
          WHERE attrelid = to_regclass('public.installments') AND attname = 'currency'
            AND attnum > 0 AND NOT attisdropped AND has_column_privilege(attrelid, attnum, 'SELECT'))
        """;

    /// <summary>
    /// What stands for the currency of an installment in SQL. The table is the application's: it may have the column,
    /// or get it while this program runs.
    /// </summary>
    public static async Task<string> CurrencyAsync(CallerSession session, CancellationToken cancellationToken) =>
        (await session.ReadAsync(HasCurrencySql, reader => reader.GetBoolean(0), cancellationToken))[0]
            ? "i.currency::text"
            : "NULL::text";

    /// <summary>Fills the currency into a template.</summary>
    public static string WithCurrency(this string template, string currency) =>
        template.Replace("{currency}", currency, StringComparison.Ordinal);
}
