namespace Actors.Silo.Import;

/// <summary>
/// The statements of an import, composed from the columns of its table and nothing else. All work on the whole file at
/// once; the checks answer with their first errors in the order of the lines, each with the count of all.
/// </summary>
internal static class ImportSql
{
    /// <summary>
    /// Row-level security is off, which raises where a policy would otherwise hide rows: an agency that cannot be seen
    /// must not be reported as unknown. Imports wait for each other, so that each sees what the other left.
    /// </summary>
    public const string Begin = """
        SET LOCAL row_security = off;
        SET LOCAL statement_timeout = 0;
        SET LOCAL work_mem = '128MB';
        SET LOCAL datestyle = 'ISO, YMD';
        SELECT pg_advisory_xact_lock(hashtextextended('actors import', 0));
        """;

    /// <summary>Fails at once where a right is missing, before a long file is read.</summary>
    public static string CreateStaging(ImportTable table) => $"""
        SELECT FROM {table.Name} LIMIT 0;
        CREATE TEMP TABLE staged (line int NOT NULL, {Join(table, c => $"{c.Name} {c.StagedType}")}) ON COMMIT DROP;
        """;

    public static string CopyIntoStaging(ImportTable table) =>
        $"COPY pg_temp.staged (line, {Join(table, c => c.Name)}) FROM STDIN (FORMAT TEXT)";

    public const string AnalyzeStaging = "ANALYZE pg_temp.staged";

    public const string DropStaging = "DROP TABLE pg_temp.staged, pg_temp.repeated";

    /// <summary>Looked for once, since that takes seconds for a million rows; usually there is none.</summary>
    public const string FindRepeated = """
        CREATE TEMP TABLE repeated ON COMMIT DROP AS
        SELECT id, min(line) AS first_line FROM pg_temp.staged GROUP BY id HAVING count(*) > 1
        """;

    /// <summary>Columns: line, id, the earlier line, its values, this line's values, count.</summary>
    public static string FindRepeatedWithOtherContent(ImportTable table) => $"""
        SELECT staged.line, staged.id::text, repeated.first_line,
               ARRAY[{Join(table, c => $"earlier.{c.Name}::text")}],
               ARRAY[{Join(table, c => $"staged.{c.Name}::text")}],
               count(*) OVER ()
        FROM pg_temp.repeated
        JOIN pg_temp.staged earlier ON earlier.line = repeated.first_line
        JOIN pg_temp.staged ON staged.id = repeated.id AND staged.line > repeated.first_line
        WHERE ({Join(table, c => $"staged.{c.Name}")}) IS DISTINCT FROM ({Join(table, c => $"earlier.{c.Name}")})
        ORDER BY staged.line
        LIMIT {ImportErrors.Shown}
        """;

    /// <summary>Columns: line, id, null, the values that are there, this line's values, count.</summary>
    public static string FindThereWithOtherContent(ImportTable table) => $"""
        SELECT staged.line, staged.id::text, NULL::int,
               ARRAY[{Join(table, There)}], ARRAY[{Join(table, Given)}], count(*) OVER ()
        FROM pg_temp.staged
        JOIN {table.Name} there ON there.id = staged.id
        WHERE {string.Join(" OR ", table.Columns.Select(Differs))}
        ORDER BY staged.line
        LIMIT {ImportErrors.Shown}
        """;

    /// <summary>Columns: line, the id that is unknown, count.</summary>
    public static string FindUnknownParents(ImportParent parent) => $"""
        SELECT staged.line, staged.{parent.Column}::text, count(*) OVER ()
        FROM pg_temp.staged
        WHERE NOT EXISTS (SELECT FROM {parent.Table} parent WHERE parent.id = staged.{parent.Column})
        ORDER BY staged.line
        LIMIT {ImportErrors.Shown}
        """;

    public const string DropRepeated = """
        DELETE FROM pg_temp.staged
        USING pg_temp.repeated
        WHERE staged.id = repeated.id AND staged.line > repeated.first_line
        """;

    /// <summary>How many are there already with another value in a column that keeps the one it has.</summary>
    public static string? CountKept(ImportTable table)
    {
        var kept = table.Columns.Where(c => c.WhenThere == ExistingValue.Kept).ToArray();
        if (kept.Length == 0) return null;
        var differences = kept.Select(c => $"there.{c.Name}::text IS DISTINCT FROM staged.{c.Name}::text");
        return $"""
            SELECT count(*)
            FROM pg_temp.staged
            JOIN {table.Name} there ON there.id = staged.id
            WHERE {string.Join(" OR ", differences)}
            """;
    }

    public static string DropThere(ImportTable table) =>
        $"DELETE FROM pg_temp.staged USING {table.Name} there WHERE there.id = staged.id";

    public const string AddZones = """
        WITH added AS (
          INSERT INTO public.supported_timezones (name)
          SELECT DISTINCT timezone FROM pg_temp.staged WHERE timezone IS NOT NULL
          ON CONFLICT (name) DO NOTHING
          RETURNING name
        )
        SELECT coalesce(array_agg(name ORDER BY name), ARRAY[]::text[]) FROM added
        """;

    /// <summary>
    /// A temporary table is read in the order in which it was filled, which is that of the file. It usually has the
    /// installments of a plan together, and they then lie together on disk. Sorting a million rows would take seconds.
    /// </summary>
    public static string InsertRemaining(ImportTable table) => $"""
        INSERT INTO {table.Name} ({Join(table, c => c.Name)})
        SELECT {Join(table, c => c.Inserted)} FROM pg_temp.staged
        """;

    private static string Differs(ImportColumn column)
    {
        var isOther = column.StagedType == "text"
            ? $"there.{column.Name}::text IS DISTINCT FROM staged.{column.Name}"
            : $"there.{column.Name} IS DISTINCT FROM staged.{column.Name}";
        return column.WhenThere switch
        {
            ExistingValue.Kept => "false",
            ExistingValue.ComparedWhenStated => $"(staged.{column.Name} IS NOT NULL AND {isOther})",
            _ => isOther,
        };
    }

    /// <summary>A value that is not compared is shown as equal.</summary>
    private static string There(ImportColumn column) => column.WhenThere switch
    {
        ExistingValue.Kept => "NULL",
        ExistingValue.ComparedWhenStated =>
            $"CASE WHEN staged.{column.Name} IS NOT NULL THEN there.{column.Name}::text END",
        _ => $"there.{column.Name}::text",
    };

    private static string Given(ImportColumn column) =>
        column.WhenThere == ExistingValue.Kept ? "NULL" : $"staged.{column.Name}::text";

    private static string Join(ImportTable table, Func<ImportColumn, string> expression) =>
        string.Join(", ", table.Columns.Select(expression));
}
