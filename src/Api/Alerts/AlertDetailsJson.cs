using System.Text.Json.Nodes;
using Actors.Api.Answers;

namespace Actors.Api.Alerts;

/// <summary>The details of alerts, which the database keeps with the words of its columns.</summary>
internal static class AlertDetailsJson
{
    /// <summary>The same with names in camelCase at every depth; values stay as they are.</summary>
    public static JsonNode? InAnswers(JsonNode? details) => details switch
    {
        JsonObject properties => Renamed(properties),
        JsonArray items => new JsonArray([.. items.Select(InAnswers)]),
        _ => details?.DeepClone(),
    };

    // Where two names become one the last counts, as in JSON itself.
    private static JsonObject Renamed(JsonObject properties)
    {
        var renamed = new JsonObject();
        foreach (var (name, value) in properties) renamed[DatabaseWord.InAnswers(name)] = InAnswers(value);
        return renamed;
    }
}
