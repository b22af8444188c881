using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Actors.Api.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Actors.Api.Runs;

/// <summary>A request for a run, once its words are found good.</summary>
/// <param name="Caller">Who asks.</param>
/// <param name="Key">The Idempotency-Key; null where none was sent, so that no other request can be the same.</param>
/// <param name="Fingerprint">SHA-256 of what is asked for, 32 bytes; see <see cref="FingerprintOf"/>.</param>
/// <param name="Reason">Why, in the asker's words; null where none was given.</param>
/// <param name="TraceId">Of the request, for its errors.</param>
internal sealed record RunOrder(Caller Caller, string? Key, byte[] Fingerprint, string? Reason, string TraceId)
{
    /// <summary>The one agency of the address; null for all, or for those that a filter selects.</summary>
    public Guid? Agency { get; init; }

    /// <summary>
    /// Two requests have one fingerprint where method, address and the meaning of their bodies are the same, whatever
    /// spaces and order of names these came with.
    /// </summary>
    /// <param name="words">What the body says.</param>
    /// <param name="path">The address, with ids in their usual form.</param>
    public static byte[] FingerprintOf(RunWords words, string path)
    {
        var meant = JsonSerializer.Serialize(new { words.Reason, words.Filter });
        return SHA256.HashData(Encoding.UTF8.GetBytes($"POST\n{path}\n{meant}"));
    }
}

/// <summary>The right to carry out one request for a run, which one process has at a time.</summary>
/// <param name="Id">The request's, and the run's in `jobs_log`.</param>
/// <param name="Attempt">1, and more where an earlier process did not bring it to an end.</param>
/// <param name="Agencies">Which agencies were selected at the first attempt; null for all, or for the one.</param>
internal sealed record RunTicket(Guid Id, int Attempt, Guid[]? Agencies);

/// <summary>For which agencies a run is.</summary>
/// <param name="Agencies">Their ids; null for all, or for the one of the address.</param>
/// <param name="Refusal">Why there is nothing to run; null where there is.</param>
internal sealed record RunSelection(Guid[]? Agencies, ProblemHttpResult? Refusal);
