using System.Text.Json;
using Actors.Api.Answers;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>
/// How PostgreSQL answered a list's statement: which rows it touched on the way. Times say nothing on a busy machine;
/// these counts are the same every time.
/// </summary>
internal sealed class ListPlan
{
    private readonly List<JsonElement> _nodes = [];

    private ListPlan(string text)
    {
        Text = text;
        Collect(JsonDocument.Parse(text).RootElement[0].GetProperty("Plan"));
    }

    /// <summary>The whole plan, for the message of a failed assertion.</summary>
    public string Text { get; }

    /// <summary>How many rows of tables were read, with those that a filter then threw away.</summary>
    public double RowsTouched => _nodes
        .Where(node => node.TryGetProperty("Relation Name", out _))
        .Sum(node => (Number(node, "Actual Rows") + Number(node, "Rows Removed by Filter")
            + Number(node, "Rows Removed by Index Recheck")) * Number(node, "Actual Loops"));

    /// <summary>The largest number of rows that were put in order at once.</summary>
    public double RowsSorted => _nodes
        .Where(node => Word(node, "Node Type") is "Sort")
        .Select(node => node.GetProperty("Plans").EnumerateArray().Max(input => Number(input, "Actual Rows")))
        .Append(0)
        .Max();

    /// <summary>Every table of these that was read from one end to the other.</summary>
    public IEnumerable<string> ScannedOf(params string[] tables) => _nodes
        .Where(node => Word(node, "Node Type").Contains("Seq Scan", StringComparison.Ordinal))
        .Select(node => Word(node, "Relation Name"))
        .Where(tables.Contains);

    /// <summary>Functions of policies that were asked for each row instead of once.</summary>
    public bool AsksPolicyForEachRow => _nodes
        .Where(node => node.TryGetProperty("Parent Relationship", out var relation)
            && relation.GetString() is "InitPlan")
        .Any(node => Number(node, "Actual Loops") > 1);

    /// <summary>Explains a statement while it runs, as a caller.</summary>
    /// <param name="api">Whose database it is.</param>
    /// <param name="role">The caller's database role; a user is an admin by `user_roles`.</param>
    /// <param name="sql">The statement.</param>
    /// <param name="rows">How many rows it reads.</param>
    public static async Task<ListPlan> OfAsync(ListsApi api, string role, ListSql sql, int rows)
    {
        var builder = new NpgsqlDataSourceBuilder(api.ConnectionString);
        builder.UseNodaTime();
        await using var owner = builder.Build();
        await using var connection = await owner.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var become = new NpgsqlCommand(
            "SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true)", connection))
        {
            become.Parameters.Add(new() { Value = role });
            become.Parameters.Add(new() { Value = $$"""{"sub": "{{api.AdminId}}"}""" });
            await become.ExecuteNonQueryAsync();
        }

        await using var explain = new NpgsqlCommand("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.Text, connection);
        explain.Parameters.AddRange(sql.Parameters(rows));
        return new ListPlan((string)(await explain.ExecuteScalarAsync())!);
    }

    private void Collect(JsonElement node)
    {
        _nodes.Add(node);
        if (!node.TryGetProperty("Plans", out var inner)) return;
        foreach (var plan in inner.EnumerateArray()) Collect(plan);
    }

    private static double Number(JsonElement node, string name) =>
        node.TryGetProperty(name, out var value) ? value.GetDouble() : 0;

    private static string Word(JsonElement node, string name) =>
        node.TryGetProperty(name, out var value) ? value.GetString()! : "";
}
