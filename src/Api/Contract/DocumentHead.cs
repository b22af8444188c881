using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Actors.Api.Contract;

/// <summary>What the document says before its first address.</summary>
internal static class DocumentHead
{
    public const string ApiKeyScheme = "apiKey";
    public const string TokenScheme = "token";

    public static Task WriteAsync(
        OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Actors",
            Version = "1",
            Description =
                """
                Makes each agency's pending installments overdue at that agency's own local cutoff time.

                **Access.** An API key in `X-API-Key`, or a token as `Authorization: Bearer`. What a caller sees is
                decided by the database, row by row: what is not theirs is answered like what is not there.

                **Lists** come in pages: send the `next` of an answer as `cursor` for the page after it. Most also come
                whole, as CSV, with `format=csv`.

                **Errors** are problem details (RFC 9457). Programs branch on `code`; `detail` is for people; `traceId`
                finds the request in the server's log. 429 and 503 say in `Retry-After` after how many seconds it is
                worth while to try again.

                **Sizes.** A body has at most 16 KiB (413). Where the HTTP server itself cannot take a request, it never
                reaches the API, and the answer has neither a body nor a trace id: 400 for a path with an escaped NUL
                (`%00`) or another request that is not HTTP, 414 for a first line longer than 8 KiB, 431 for more than
                100 headers or headers longer than 32 KiB, 408 for headers that take longer than 30 s.

                **Times** are RFC 3339 in UTC. Where a person of the agency reads them they come with the agency's wall
                time, zone and offset.
                """.ReplaceLineEndings("\n"),
        };
        // Where it runs is for each installation to say; addresses are relative to where the document came from.
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [ApiKeyScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = "X-API-Key",
                Description = "Made with `./actors key create --name NAME`; scopes: trigger, read, admin.",
            },
            [TokenScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "JWT",
                Description = "A token of the issuer that this installation is configured with.",
            },
        };
        return Task.CompletedTask;
    }
}
