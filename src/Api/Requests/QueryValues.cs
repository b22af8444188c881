using Actors.Api.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;

namespace Actors.Api.Requests;

/// <summary>The values of an address's query, checked against what the endpoint takes.</summary>
public sealed class QueryValues
{
    private readonly Dictionary<string, object> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string[]> _problems = new(StringComparer.Ordinal);

    /// <summary>By name, what is wrong and what to write instead; empty where all is well.</summary>
    internal IReadOnlyDictionary<string, string[]> Problems => _problems;

    /// <summary>
    /// Reads a query. An unknown name is a problem too: a filter that is misspelled must not quietly be none.
    /// </summary>
    internal static QueryValues Read(IQueryCollection query, IReadOnlyList<QueryParameter> parameters)
    {
        var values = new QueryValues();
        foreach (var (name, given) in query)
        {
            var parameter = parameters.FirstOrDefault(known => known.Name == name);
            if (parameter is null) values.Refuse(PlainText.Shown(name), Unknown(parameters));
            else if (given.Count > 1) values.Refuse(name, $"{name} is given {given.Count} times; give it once.");
            else if (!string.IsNullOrEmpty(given[0])) values.Take(parameter, given[0]!);
        }

        foreach (var parameter in parameters.Where(known => known.Default is not null))
            if (!values._values.ContainsKey(parameter.Name)) values.Take(parameter, parameter.Default!);
        return values;
    }

    /// <summary>Notes what is wrong with a value that only its endpoint can judge, such as a cursor.</summary>
    public void Refuse(string name, string advice) => _problems.TryAdd(name, [advice]);

    /// <summary>The answer to a query that is not as it should be; null where all is well.</summary>
    public ProblemHttpResult? Refusal() =>
        _problems.Count == 0 ? null : ApiError.InvalidParameter.ToProblem(("errors", _problems));

    public string? Text(string name) => (string?)_values.GetValueOrDefault(name);

    public Guid? Id(string name) => (Guid?)_values.GetValueOrDefault(name);

    public int? Number(string name) => (int?)_values.GetValueOrDefault(name);

    public Instant? Instant(string name) => (Instant?)_values.GetValueOrDefault(name);

    public LocalDate? Date(string name) => (LocalDate?)_values.GetValueOrDefault(name);

    private void Take(QueryParameter parameter, string text)
    {
        if (parameter.Parse(text, out var advice) is { } value) _values[parameter.Name] = value;
        else Refuse(parameter.Name, advice!);
    }

    private static string Unknown(IReadOnlyList<QueryParameter> parameters) => parameters.Count == 0
        ? "This address takes no query."
        : "There is no such parameter; this address takes "
            + string.Join(", ", parameters.Select(parameter => parameter.Name)) + ".";
}
