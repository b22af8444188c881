using System.Globalization;
using System.Text.Json.Nodes;
using Actors.Api.Agencies;
using Actors.Api.Alerts;
using Actors.Api.Runs;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Actors.Api.Contract;

/// <summary>
/// What the bodies of requests may hold beyond what their records say: bounds, words, and that nothing else is taken.
/// They are read by <see cref="Requests.JsonBody"/>; a test sends what stands here, and what does not.
/// </summary>
internal static class DocumentedBodies
{
    private static readonly HashSet<Type> Bodies =
    [
        typeof(NewAgency), typeof(AgencyPatch), typeof(ReasonBody), typeof(ResumeBody), typeof(AgencyRunBody),
        typeof(RunBody), typeof(RunFilterBody), typeof(AcknowledgeBody),
    ];

    private static readonly Dictionary<(Type Body, string Member), Action<OpenApiSchema>> Members = new()
    {
        [(typeof(NewAgency), AgencyBody.Name)] = Name,
        [(typeof(NewAgency), AgencyBody.Timezone)] = Timezone,
        [(typeof(NewAgency), AgencyBody.OverdueCutoffTime)] = Time,
        [(typeof(NewAgency), AgencyBody.DueSoonThresholdDays)] = Days,
        // A merge patch would take away what is null, and nothing of an agency can be taken away.
        [(typeof(AgencyPatch), AgencyBody.Name)] = NeverNull + Name,
        [(typeof(AgencyPatch), AgencyBody.Timezone)] = NeverNull + Timezone,
        [(typeof(AgencyPatch), AgencyBody.OverdueCutoffTime)] = NeverNull + Time,
        [(typeof(AgencyPatch), AgencyBody.DueSoonThresholdDays)] = NeverNull + Days,
        [(typeof(ReasonBody), "reason")] = Reason,
        [(typeof(ResumeBody), "reason")] = Reason,
        [(typeof(ResumeBody), AgencyResuming.Mode)] = mode => Words(mode, AgencyResuming.Modes),
        [(typeof(AgencyRunBody), "reason")] = reason => reason.MaxLength = RunReason.MaxLength,
        [(typeof(RunBody), "reason")] = reason => reason.MaxLength = RunReason.MaxLength,
        [(typeof(RunFilterBody), "agencyIds")] = ids =>
        {
            ids.MaxItems = RunFilterBody.MostIds;
            ids.Items = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" };
        },
        [(typeof(RunFilterBody), "timezone")] = Filter,
        [(typeof(RunFilterBody), "state")] = state => Words(state, RunFilterBody.States),
        [(typeof(RunFilterBody), "search")] = Filter,
        [(typeof(AcknowledgeBody), "note")] = note => note.MaxLength = AcknowledgeBody.MaxLength,
    };

    public static Task DescribeAsync(
        OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        if (context.JsonPropertyInfo is { } member)
        {
            if (Members.TryGetValue((member.DeclaringType, member.Name), out var describe)) describe(schema);
        }

        if (Bodies.Contains(context.JsonTypeInfo.Type)) schema.AdditionalPropertiesAllowed = false;

        return Task.CompletedTask;
    }

    private static Action<OpenApiSchema> NeverNull => member => member.Type &= ~JsonSchemaType.Null;

    private static void Name(OpenApiSchema name) => Text(name, AgencyBody.LongestName);

    private static void Timezone(OpenApiSchema timezone) => timezone.Examples = ["Australia/Brisbane"];

    private static void Time(OpenApiSchema time) => time.Examples = ["17:00"];

    private static void Days(OpenApiSchema days) => (days.Minimum, days.Maximum) = (
        AgencyBody.FewestDays.ToString(CultureInfo.InvariantCulture),
        AgencyBody.MostDays.ToString(CultureInfo.InvariantCulture));

    private static void Reason(OpenApiSchema reason) => Text(reason, RunReason.MaxLength);

    private static void Filter(OpenApiSchema text) => Text(text, RunFilterBody.LongestText);

    // Not blank, either.
    private static void Text(OpenApiSchema text, int longest) =>
        (text.MinLength, text.MaxLength, text.Pattern) = (1, longest, @"\S");

    private static void Words(OpenApiSchema word, IEnumerable<string> words)
    {
        word.Enum = [.. words.Select(one => (JsonNode)one)];
        if (word.Type?.HasFlag(JsonSchemaType.Null) == true) word.Enum.Add(JsonNullSentinel.JsonNull);
    }
}
