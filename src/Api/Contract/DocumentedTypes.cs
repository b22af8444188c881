using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using NodaTime;

namespace Actors.Api.Contract;

/// <summary>
/// How types are described that the generator does not know: NodaTime's, which are texts in JSON, and problem details,
/// whose extensions every answer of ours has.
/// </summary>
internal static class DocumentedTypes
{
    private static readonly Dictionary<Type, (string Format, string Example)> Texts = new()
    {
        [typeof(Instant)] = ("date-time", "2026-08-09T07:00:00Z"),
        [typeof(LocalDate)] = ("date", "2026-08-09"),
        [typeof(LocalDateTime)] = ("local-date-time", "2026-08-09T17:00:00"),
        [typeof(LocalTime)] = ("local-time", "17:00:00"),
        [typeof(Offset)] = ("utc-offset", "+10"),
    };

    public static Task DescribeAsync(
        OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = context.JsonTypeInfo.Type;
        var plain = Nullable.GetUnderlyingType(type) ?? type;
        if (Texts.TryGetValue(plain, out var text))
        {
            schema.Type = plain == type ? JsonSchemaType.String : JsonSchemaType.String | JsonSchemaType.Null;
            schema.Format = text.Format;
            schema.Examples = [text.Example];
        }
        else if (type == typeof(ProblemDetails))
        {
            DescribeProblem(schema);
        }

        return Task.CompletedTask;
    }

    private static void DescribeProblem(OpenApiSchema schema)
    {
        schema.Description = "Problem details (RFC 9457).";
        schema.Properties ??= new Dictionary<string, IOpenApiSchema>();
        schema.Properties["code"] = new OpenApiSchema
        {
            Type = JsonSchemaType.String,
            Description = "The kind of error, stable: programs branch on it. It ends the `type` as well.",
        };
        schema.Properties["traceId"] = new OpenApiSchema
        {
            Type = JsonSchemaType.String,
            Description = "Under which the server's log has this request.",
        };
        schema.Properties["errors"] = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "By name of a parameter or member, what is wrong with it and what to write instead.",
            AdditionalProperties = new OpenApiSchema
            {
                Type = JsonSchemaType.Array,
                Items = new OpenApiSchema { Type = JsonSchemaType.String },
            },
        };
        schema.Required = new HashSet<string> { "type", "title", "status", "detail", "code", "traceId" };
    }
}
