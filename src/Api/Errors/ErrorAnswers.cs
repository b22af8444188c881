using Actors.Api.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Actors.Api.Errors;

/// <summary>How an endpoint words its errors, where that is not problem details; given as endpoint metadata.</summary>
public interface IErrorShape
{
    IResult Shape(ApiError error);
}

/// <summary>
/// The one way by which every error leaves the API: a refusal of access, an exception, or a status without a body.
/// </summary>
internal static class ErrorAnswers
{
    private const string RetryAfterSeconds = "1";

    public static void AddApiErrors(this IServiceCollection services)
    {
        // Registered before the framework's own writer, which is silent when the caller does not accept JSON.
        services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        services.AddProblemDetails();

        // A malformed body is the caller's error, not an exception of ours, in development as in production.
        services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = false);
    }

    public static void UseApiErrors(this IApplicationBuilder app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = context =>
            {
                var failure = context.Features.Get<IExceptionHandlerFeature>()!;
                return WriteAsync(context, failure.Endpoint, ExceptionErrors.Decide(failure.Error));
            },
            // The first two are the callers' doing; of the third the log tells once, where it is found.
            SuppressDiagnosticsCallback = failure => failure.Exception is
                BadHttpRequestException or TooManyKeysException or SigningKeysUnavailableException,
        });
        app.UseStatusCodePages(pages =>
        {
            var context = pages.HttpContext;
            return WriteAsync(context, context.GetEndpoint(), ApiError.FromStatus(context.Response.StatusCode));
        });
    }

    /// <param name="context">The request that is answered.</param>
    /// <param name="endpoint">Whose shape the error takes; after an exception the context has lost it.</param>
    /// <param name="error">What is said.</param>
    public static Task WriteAsync(HttpContext context, Endpoint? endpoint, ApiError error)
    {
        // Whoever knows better has said so already.
        if (error.Status == StatusCodes.Status429TooManyRequests)
            context.Response.Headers.TryAdd("Retry-After", RetryAfterSeconds);
        var shape = endpoint?.Metadata.GetMetadata<IErrorShape>();
        var answer = shape is null ? error.ToProblem() : shape.Shape(error);
        return answer.ExecuteAsync(context);
    }
}
