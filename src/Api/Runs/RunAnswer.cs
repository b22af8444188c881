using System.Text.Json;
using NodaTime;

namespace Actors.Api.Runs;

/// <summary>How far a run is that somebody asked for.</summary>
/// <param name="Id">The run's id.</param>
/// <param name="Status">`running`, `succeeded` or `failed`.</param>
/// <param name="RequestedBy">The name of the key or person that asked.</param>
/// <param name="Reason">Why, in the asker's words; null where none was given.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="CompletedAt">When it ended; null while it is running.</param>
/// <param name="RecordsUpdated">How many installments became overdue by it; null while it is running.</param>
/// <param name="Error">What went wrong, in a sentence or two; null unless it failed.</param>
/// <param name="Answer">
/// What the request for the run was answered with, or would have been; null before that is known, and where only the
/// log knows how it ended.
/// </param>
/// <param name="Job">
/// The address of the run in the jobs log; null as long as it has written nothing there, and for a key that may not
/// read.
/// </param>
public sealed record RunAnswer(
    Guid Id,
    string Status,
    string RequestedBy,
    string? Reason,
    Instant RequestedAt,
    Instant? CompletedAt,
    int? RecordsUpdated,
    string? Error,
    AnsweredWith? Answer,
    string? Job);

/// <summary>The answer to a request for a run.</summary>
/// <param name="Status">Its HTTP status.</param>
/// <param name="Body">Its body: what was marked, or problem details.</param>
public sealed record AnsweredWith(int Status, JsonElement Body);

/// <summary>The row of a run in `jobs_log`.</summary>
/// <param name="Status">`running`, `success` or `failed`.</param>
internal sealed record LoggedRun(string Status, Instant? CompletedAt, int RecordsUpdated, string? Error);

/// <summary>What the database has of a run that was asked for.</summary>
/// <param name="IsLeased">Some process of the API is at it.</param>
/// <param name="IsRecent">It was asked for within the time in which its row in the log may still appear.</param>
/// <param name="Answer">What was answered, or the error of the moment in which the last attempt ended.</param>
/// <param name="Logged">Null where nothing was written yet.</param>
internal sealed record RequestedRun(
    Guid Id, string RequestedBy, string? Reason, Instant RequestedAt, Instant? CompletedAt,
    bool IsLeased, bool IsRecent, KeptAnswer? Answer, LoggedRun? Logged)
{
    private const string Lost =
        "No process of the API has carried out this request. Ask again: a run marks nothing twice.";

    /// <summary>
    /// Tells how far the run is. While a process is at it, it is running, whatever the log says: its answer is about
    /// to come. Without one the log knows, and where there is nothing in it, the run never came to write anything.
    /// </summary>
    /// <param name="mayReadJobs">Whether the address of the run in the log is open to who asks.</param>
    public RunAnswer Decide(bool mayReadJobs = true)
    {
        var isKept = CompletedAt is not null;
        var status = isKept ? StatusOf(Answer!)
            : IsLeased || Logged is { Status: "running" } ? "running"
            : Logged is { } logged ? StatusOf(logged)
            : Answer is null && IsRecent ? "running"
            : "failed";
        // An error of the moment is not how a run ended that the log knows more of.
        var answer = status == "running" || (!isKept && Logged is not null) ? null : Answer;
        var body = answer is null ? (JsonElement?)null : JsonSerializer.Deserialize<JsonElement>(answer.Body);
        return new RunAnswer(
            Id,
            status,
            RequestedBy,
            Reason,
            RequestedAt,
            status == "running" ? null : CompletedAt ?? Logged?.CompletedAt,
            status == "running" ? null : NumberIn(body, "recordsUpdated") ?? Logged?.RecordsUpdated,
            status != "failed" ? null
                : TextIn(body, "error") ?? TextIn(body, "detail") ?? Logged?.Error ?? Lost,
            body is { } known ? new AnsweredWith(answer!.Status, known) : null,
            Logged is null || !mayReadJobs ? null : $"/api/jobs/{Id}");
    }

    /// <summary>A run of many is answered 200 also where some of them failed, and says so.</summary>
    private static string StatusOf(KeptAnswer answer) =>
        answer.IsSuccess && TextIn(JsonSerializer.Deserialize<JsonElement>(answer.Body), "status") != "failed"
            ? "succeeded"
            : "failed";

    private static string StatusOf(LoggedRun logged) => logged.Status == "success" ? "succeeded" : "failed";

    private static string? TextIn(JsonElement? body, string name) =>
        body is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static int? NumberIn(JsonElement? body, string name) =>
        body is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;
}
