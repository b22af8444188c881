using System.Text.RegularExpressions;
using Npgsql;

namespace Actors.Silo.Import;

/// <summary>
/// What a table's `status` column takes, read from the catalogue: in an existing database it may be an enum, or text
/// with a constraint of its own.
/// </summary>
/// <param name="TypeName">The column's type as SQL writes it.</param>
/// <param name="Words">The words it takes, never empty.</param>
internal sealed partial record StatusColumn(string TypeName, IReadOnlyList<string> Words)
{
    private static readonly string[] PlanWords = ["active", "completed", "cancelled", "paused", "draft"];

    private static readonly string[] InstallmentWords =
        ["pending", "paid", "overdue", "cancelled", "draft", "partial"];

    private const string Describe = """
        SELECT format_type(a.atttypid, a.atttypmod),
               ARRAY(SELECT e.enumlabel::text FROM pg_enum e
                     WHERE e.enumtypid = a.atttypid ORDER BY e.enumsortorder),
               ARRAY(SELECT pg_get_expr(c.conbin, c.conrelid) FROM pg_constraint c
                     WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND c.conkey = ARRAY[a.attnum]
                     ORDER BY c.conname)
        FROM pg_attribute a
        WHERE a.attrelid = to_regclass($1) AND a.attname = 'status' AND NOT a.attisdropped
        """;

    public static Task<StatusColumn> OfPlansAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        ReadAsync(connection, "public.payment_plans", PlanWords, cancellationToken);

    public static Task<StatusColumn> OfInstallmentsAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken) =>
        ReadAsync(connection, "public.installments", InstallmentWords, cancellationToken);

    private static async Task<StatusColumn> ReadAsync(
        NpgsqlConnection connection, string table, string[] usualWords, CancellationToken cancellationToken)
    {
        string typeName;
        string[] labels, checks;
        await using (var command = new NpgsqlCommand(Describe, connection) { Parameters = { new() { Value = table } } })
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            if (!await reader.ReadAsync(cancellationToken)) throw ImportFailure.NoSuchColumn(table, "status");
            typeName = reader.GetString(0);
            labels = reader.GetFieldValue<string[]>(1);
            checks = reader.GetFieldValue<string[]>(2);
        }

        if (labels.Length > 0) return new(typeName, labels);
        return checks.Length == 0
            ? new(typeName, usualWords)
            : new(typeName, await TakenByAsync(connection, checks, usualWords, cancellationToken));
    }

    /// <summary>
    /// Asks PostgreSQL itself which words pass the column's constraints, of those that the constraints mention and the
    /// usual ones: a constraint can be written in many ways, and need not be a list.
    /// </summary>
    private static async Task<string[]> TakenByAsync(
        NpgsqlConnection connection, string[] checks, string[] usualWords, CancellationToken cancellationToken)
    {
        var mentioned = checks.SelectMany(check => Literal().Matches(check))
            .Select(literal => literal.Groups[1].Value.Replace("''", "'", StringComparison.Ordinal))
            .Where(word => word.Length > 0);
        await using var command = new NpgsqlCommand(
            $"""
            SELECT coalesce(array_agg(word.status ORDER BY word.position), ARRAY[]::text[])
            FROM unnest($1) WITH ORDINALITY AS word(status, position)
            WHERE {string.Join(" AND ", checks.Select(check => $"({check}) IS NOT FALSE"))}
            """,
            connection)
        {
            Parameters = { new() { Value = mentioned.Concat(usualWords).Distinct().ToArray() } },
        };
        var taken = (string[])(await command.ExecuteScalarAsync(cancellationToken))!;
        return taken.Length > 0 ? taken : usualWords;
    }

    [GeneratedRegex("'((?:[^']|'')*)'")]
    private static partial Regex Literal();
}
