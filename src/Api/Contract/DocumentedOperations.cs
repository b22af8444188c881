using System.Globalization;
using System.Text.Json.Nodes;
using Actors.Api.Access;
using Actors.Api.Answers;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Actors.Api.Contract;

/// <summary>
/// What the generator cannot see of an address: its query, which is declared as <see cref="QueryParameters"/>, what a
/// caller must be allowed to do, and when to come again.
/// </summary>
internal static class DocumentedOperations
{
    public static Task DescribeAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        foreach (var parameter in metadata.OfType<QueryParameters>().SelectMany(query => query.Parameters))
            (operation.Parameters ??= []).Add(ParameterOf(parameter));
        foreach (var header in metadata.OfType<DocumentedHeader>())
            (operation.Parameters ??= []).Add(ParameterOf(header));
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
            if (parameter is { In: ParameterLocation.Path, Name: "id", Schema: OpenApiSchema id }) id.Format = "uuid";

        if (metadata.OfType<IAuthorizeData>().LastOrDefault()?.Policy is { } policy)
            DescribeAccess(operation, policy, context.Document!);
        if (metadata.OfType<QueryParameters>().Any(query => query.Parameters.Contains(Csv.Parameter)))
            DescribeCsv(operation);
        foreach (var header in metadata.OfType<DocumentedAnswerHeader>())
            foreach (var status in header.Statuses)
                DescribeHeader(operation, $"{status}", header.Name, header.Description, JsonSchemaType.String);
        foreach (var status in (string[])["202", "429", "503"])
            DescribeHeader(
                operation, status, "Retry-After", "After how many seconds it is worth while to try again.",
                JsonSchemaType.Integer);
        SortResponses(operation);
        return Task.CompletedTask;
    }

    /// <summary>By status, whatever the order in which an address and its group declared them.</summary>
    private static void SortResponses(OpenApiOperation operation)
    {
        var sorted = new OpenApiResponses();
        var responses = (operation.Responses ?? []).OrderBy(pair => pair.Key, StringComparer.Ordinal);
        foreach (var (status, response) in responses) sorted.Add(status, response);
        operation.Responses = sorted;
    }

    private static void DescribeAccess(OpenApiOperation operation, string policy, OpenApiDocument document)
    {
        operation.Description = string.Join("\n\n", new[]
        {
            operation.Description,
            policy == AccessPolicies.Known
                ? "Needs an API key of any scope, or any token that is taken."
                : $"Needs the scope `{policy}` of an API key, or a token that may as much.",
        }.OfType<string>());
        operation.Security =
        [
            new OpenApiSecurityRequirement
            {
                [new OpenApiSecuritySchemeReference(DocumentHead.ApiKeyScheme, document)] = [],
            },
            new OpenApiSecurityRequirement
            {
                [new OpenApiSecuritySchemeReference(DocumentHead.TokenScheme, document)] = [],
            },
        ];
    }

    private static void DescribeHeader(
        OpenApiOperation operation, string status, string name, string description, JsonSchemaType type)
    {
        if (operation.Responses?.TryGetValue(status, out var found) != true || found is not OpenApiResponse response)
            return;
        response.Headers ??= new Dictionary<string, IOpenApiHeader>();
        response.Headers[name] = new OpenApiHeader
        {
            Description = description,
            Schema = new OpenApiSchema { Type = type },
        };
    }

    private static void DescribeCsv(OpenApiOperation operation)
    {
        if (operation.Responses?.TryGetValue("200", out var found) != true || found is not OpenApiResponse response)
            return;
        (response.Content ??= new Dictionary<string, OpenApiMediaType>())["text/csv"] = new OpenApiMediaType
        {
            Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        };
    }

    private static OpenApiParameter ParameterOf(DocumentedHeader header) => new()
    {
        Name = header.Name,
        In = ParameterLocation.Header,
        Description = header.Description,
        Required = header.IsRequired,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };

    private static OpenApiParameter ParameterOf(QueryParameter parameter) => new()
    {
        Name = parameter.Name,
        In = ParameterLocation.Query,
        Description = parameter.Description,
        Schema = SchemaOf(parameter),
    };

    private static OpenApiSchema SchemaOf(QueryParameter parameter) => parameter.Kind switch
    {
        QueryKind.Number => new OpenApiSchema
        {
            Type = JsonSchemaType.Integer,
            Minimum = parameter.Bounds.Least.ToString(CultureInfo.InvariantCulture),
            Maximum = parameter.Bounds.Largest.ToString(CultureInfo.InvariantCulture),
            Default = parameter.Default is { } number ? int.Parse(number, CultureInfo.InvariantCulture) : null,
        },
        QueryKind.Word => new OpenApiSchema
        {
            Type = JsonSchemaType.String,
            Enum = [.. parameter.Words.Select(word => (JsonNode)word)],
            Default = parameter.Default,
        },
        QueryKind.Id => Text("uuid"),
        QueryKind.Instant => Text("date-time"),
        QueryKind.Date => Text("date"),
        _ => new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = parameter.MaxLength },
    };

    private static OpenApiSchema Text(string format) => new() { Type = JsonSchemaType.String, Format = format };
}
