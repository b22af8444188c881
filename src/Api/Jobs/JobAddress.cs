using Actors.Api.Access;
using Actors.Api.Errors;
using Actors.Api.Requests;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Actors.Api.Jobs;

/// <summary>The id of a run in an address.</summary>
internal static class JobAddress
{
    /// <summary>The id, or null where it is no UUID, so that no run has it.</summary>
    public static Guid? Parse(string id) => Guid.TryParseExact(id, "D", out var job) ? job : null;

    /// <summary>The same words for what is not there and for what the caller may not see.</summary>
    public static ProblemHttpResult NotFound(string id) => new ApiError(
        404, "job-not-found", "Run not found", $"No run has the id {PlainText.Shown(id)}.").ToProblem();

    /// <summary>Whether the caller sees no such run.</summary>
    public static async Task<bool> IsHiddenAsync(
        CallerSession session, Guid job, CancellationToken cancellationToken) => (await session.ReadAsync(
            "SELECT id FROM jobs_log WHERE id = @job", reader => reader.GetGuid(0), cancellationToken,
            new NpgsqlParameter("job", job))).Count == 0;
}
