using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.OpenApi;
using Npgsql;
using Scalar.AspNetCore;

namespace Actors.Api.Contract;

/// <summary>
/// The API's contract: an OpenAPI 3.1 document made from the endpoints themselves, served at `/openapi/v1.json`, and as
/// pages for people at `/docs`. The document is committed as `src/Api/openapi.json`; a test compares the two, so that
/// no change of the contract goes unseen. Both addresses need no credential: they tell nothing that the source does
/// not.
/// </summary>
public static class ApiDocument
{
    private const string Name = "v1";
    private const string Address = "/openapi/v1.json";

    /// <summary>
    /// The document as it is committed: indented JSON with a line break at its end. It is made without a database and
    /// without a silo.
    /// </summary>
    public static async Task WriteAsync(Stream output, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        // Never opened: the document is made from the endpoints' declarations alone.
        await using var nowhere = NpgsqlDataSource.Create("Host=nowhere.invalid");
        builder.Services.AddActorsApi(_ => nowhere);
        await using var app = builder.Build();
        // Starting would make the endpoints known to the document; without it they are handed over here.
        app.UseRouting();
        app.MapActorsApi();
        app.UseEndpoints(_ => { });
        var provider = app.Services.GetRequiredKeyedService<IOpenApiDocumentProvider>(Name);
        var document = await provider.GetOpenApiDocumentAsync(cancellationToken);
        await document.SerializeAsJsonAsync(output, OpenApiSpecVersion.OpenApi3_1, cancellationToken);
        await output.WriteAsync("\n"u8.ToArray(), cancellationToken);
    }

    internal static void AddApiDocument(this IServiceCollection services) => services.AddOpenApi(Name, options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer(DocumentHead.WriteAsync);
        options.AddSchemaTransformer(DocumentedTypes.DescribeAsync);
        options.AddSchemaTransformer(DocumentedBodies.DescribeAsync);
        options.AddOperationTransformer(DocumentedOperations.DescribeAsync);
    });

    internal static void MapApiDocument(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
        app.MapScalarApiReference("/docs", (options, context) => options
                .WithTitle("Actors API")
                .WithOpenApiRoutePattern(Address)
                .WithNonce(AllowItsOwnScripts(context.Response))
                // Nothing on this page may come from, or go to, another host.
                .DisableDefaultFonts()
                .DisableTelemetry()
                .DisableAgent()
                .DisableMcp()
                .HideClientButton()
                .HideDeveloperTools()
                .AddPreferredSecuritySchemes(DocumentHead.ApiKeyScheme))
            .AllowAnonymous();
    }

    /// <summary>Lets this one answer run the scripts that carry the nonce, and no other.</summary>
    private static string AllowItsOwnScripts(HttpResponse response)
    {
        var nonce = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        response.Headers.ContentSecurityPolicy =
            $"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; "
            + "img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";
        return nonce;
    }
}
