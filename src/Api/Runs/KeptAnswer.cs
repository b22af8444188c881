using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Actors.Api.Runs;

/// <summary>
/// The answer to a request for a run, as it is kept: status and body, to the letter. The first answer is written from
/// it too, so that a second one cannot differ.
/// </summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">JSON; problem details from status 400 on.</param>
internal sealed record KeptAnswer(int Status, string Body) : IResult
{
    /// <summary>Whether it was given before, which the caller is told.</summary>
    public bool IsReplayed { get; init; }

    /// <summary>
    /// An error of the moment says nothing of the run: it is not kept, and whoever asks again starts anew.
    /// </summary>
    public bool IsOfTheMoment => Status >= 500;

    public bool IsSuccess => Status < 400;

    public static KeptAnswer Of<T>(T value, JsonSerializerOptions json) =>
        new(200, JsonSerializer.Serialize(value, json));

    /// <param name="problem">What is answered.</param>
    /// <param name="traceId">Of the request that brought it about.</param>
    /// <param name="json">How the API writes JSON.</param>
    public static KeptAnswer Of(ProblemHttpResult problem, string traceId, JsonSerializerOptions json)
    {
        ArgumentNullException.ThrowIfNull(problem);
        problem.ProblemDetails.Extensions["traceId"] = traceId;
        return new KeptAnswer(problem.StatusCode, JsonSerializer.Serialize(problem.ProblemDetails, json));
    }

    public static KeptAnswer Of<T>(Results<Ok<T>, ProblemHttpResult> result, string traceId, JsonSerializerOptions json)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result.Result is ProblemHttpResult problem
            ? Of(problem, traceId, json)
            : Of(((Ok<T>)result.Result).Value, json);
    }

    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var response = httpContext.Response;
        response.StatusCode = Status;
        response.ContentType = IsSuccess ? "application/json; charset=utf-8" : "application/problem+json";
        if (IsReplayed) response.Headers[IdempotencyKey.ReplayedHeaderName] = "true";
        if (Status == StatusCodes.Status503ServiceUnavailable)
            response.Headers.RetryAfter = RunLimits.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        return response.WriteAsync(Body, httpContext.RequestAborted);
    }
}
