using Npgsql;
using NpgsqlTypes;

namespace Actors.Api.Answers;

/// <summary>
/// A statement that reads a part of a list: a fixed text, and conditions that are fixed texts too. Which of them stand
/// in it is the request's to say; its values are parameters.
/// </summary>
/// <param name="template">It has `{where}` where the conditions go, and reads at most `@rows` rows.</param>
internal sealed class ListSql(string template)
{
    private readonly List<string> _conditions = [];
    private readonly List<NpgsqlParameter> _parameters = [];

    /// <summary>The whole statement.</summary>
    public string Text => template.Replace(
        "{where}",
        _conditions.Count == 0 ? "" : "WHERE " + string.Join("\n  AND ", _conditions),
        StringComparison.Ordinal);

    /// <summary>The parameters for one execution.</summary>
    /// <param name="rows">How many rows to read.</param>
    public NpgsqlParameter[] Parameters(int rows) =>
        [.. _parameters, new("rows", NpgsqlDbType.Integer) { Value = rows }];

    /// <summary>Adds a condition.</summary>
    public void And(string condition) => _conditions.Add(condition);

    /// <summary>Adds a condition on a parameter, unless that has no value.</summary>
    public void And(string condition, string name, NpgsqlDbType type, object? value)
    {
        if (value is null) return;
        And(condition);
        With(name, type, value);
    }

    /// <summary>Adds a parameter, which may be null.</summary>
    public void With(string name, NpgsqlDbType type, object? value) =>
        _parameters.Add(new NpgsqlParameter(name, type) { Value = value ?? DBNull.Value });
}
