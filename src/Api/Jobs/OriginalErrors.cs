using Actors.Api.Errors;
using Microsoft.AspNetCore.Http;

namespace Actors.Api.Jobs;

/// <summary>
/// Errors as the original design words them. It knows 401 and 500; a server's failure is therefore always 500, and what
/// it did not foresee (403, 413) takes the nearer of its two shapes.
/// </summary>
public sealed class OriginalErrors : IErrorShape
{
    public IResult Shape(ApiError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.Status switch
        {
            401 or 403 => TypedResults.Json(new RefusalAnswer(error.Title), statusCode: error.Status),
            < 500 => TypedResults.Json(RunAllAnswer.Failed(error.Detail), statusCode: error.Status),
            _ => TypedResults.InternalServerError(RunAllAnswer.Failed(error.Detail)),
        };
    }
}
