namespace Actors.Silo.Import;

/// <summary>One kind of file: its columns, and the table that its rows go to.</summary>
/// <param name="Name">The table, with its schema.</param>
/// <param name="Noun">One row of it, as people call it.</param>
/// <param name="Columns">`id` first; a file may have them in any order.</param>
/// <param name="Parent">The row that each row belongs to, if any.</param>
internal sealed record ImportTable(
    string Name, string Noun, IReadOnlyList<ImportColumn> Columns, ImportParent? Parent = null)
{
    public static ImportTable Agencies(CellRule zone, IReadOnlyDictionary<string, string> defaults) => new(
        "public.agencies",
        "agency",
        [
            new("id", "uuid", CellRule.Uuid),
            new("name", "text", CellRule.Name),
            Setting("timezone", "text", zone, defaults),
            Setting("overdue_cutoff_time", "time", CellRule.CutoffTime, defaults),
            Setting("due_soon_threshold_days", "int", CellRule.DueSoonDays, defaults),
        ]);

    public static ImportTable Plans(StatusColumn status) => new(
        "public.payment_plans",
        "plan",
        [
            new("id", "uuid", CellRule.Uuid),
            new("agency_id", "uuid", CellRule.Uuid),
            new("status", "text", CellRule.Status(status.Words)) { Inserted = $"staged.status::{status.TypeName}" },
        ],
        new ImportParent("agency_id", "public.agencies", "agency", "agencies"));

    /// <summary>
    /// The status of an installment moves on by itself, so that a row that is there already keeps the one it has.
    /// </summary>
    public static ImportTable Installments(StatusColumn status) => new(
        "public.installments",
        "installment",
        [
            new("id", "uuid", CellRule.Uuid),
            new("payment_plan_id", "uuid", CellRule.Uuid),
            new("amount", "numeric(12,2)", CellRule.Amount),
            new("student_due_date", "date", CellRule.Date) { MayBeEmpty = true },
            new("status", "text", CellRule.Status(status.Words))
            {
                Inserted = $"staged.status::{status.TypeName}",
                WhenThere = ExistingValue.Kept,
            },
        ],
        new ImportParent("payment_plan_id", "public.payment_plans", "plan", "plans"));

    private static ImportColumn Setting(
        string name, string type, CellRule rule, IReadOnlyDictionary<string, string> defaults) =>
        new(name, type, rule)
        {
            MayBeAbsent = true,
            MayBeEmpty = true,
            Inserted = $"coalesce(staged.{name}, {defaults[name]})",
            WhenThere = ExistingValue.ComparedWhenStated,
        };
}

/// <summary>One column of a file, and of its table.</summary>
/// <param name="Name">The same in the file and in the table.</param>
/// <param name="StagedType">The SQL type it is staged in, which holds whatever the rule accepts.</param>
/// <param name="Rule">What a cell may say that is not empty.</param>
internal sealed record ImportColumn(string Name, string StagedType, CellRule Rule)
{
    /// <summary>A file may leave the column out, which says the same as a column of empty cells.</summary>
    public bool MayBeAbsent { get; init; }

    /// <summary>A cell may be empty, which is staged as NULL.</summary>
    public bool MayBeEmpty { get; init; }

    /// <summary>The SQL expression over the row `staged` that is inserted.</summary>
    public string Inserted { get; init; } = $"staged.{Name}";

    /// <summary>What it means that a row with this id is there already with another value.</summary>
    public ExistingValue WhenThere { get; init; } = ExistingValue.Compared;
}

/// <summary>The row that another belongs to.</summary>
internal sealed record ImportParent(string Column, string Table, string Noun, string Plural);

/// <summary>What it means that a row is there already with another value than the file says.</summary>
internal enum ExistingValue
{
    /// <summary>An error.</summary>
    Compared,

    /// <summary>An error where the file says a value; an empty cell asks for nothing.</summary>
    ComparedWhenStated,

    /// <summary>What is there stays, and is counted.</summary>
    Kept,
}
