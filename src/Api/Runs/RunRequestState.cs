using System.Security.Cryptography;

namespace Actors.Api.Runs;

/// <summary>What is to become of a request whose Idempotency-Key was used before.</summary>
internal enum EarlierRun
{
    /// <summary>It was used for something else: refuse.</summary>
    IsAnother,

    /// <summary>It has its answer: give that.</summary>
    IsAnswered,

    /// <summary>Some process is at it: wait.</summary>
    IsUnderWay,

    /// <summary>Nobody is at it, and nothing was answered that lasts: carry it out.</summary>
    IsOpen,
}

/// <summary>A row of `run_requests`, as whoever sends its Idempotency-Key again finds it.</summary>
/// <param name="Id">The request's, and the run's in `jobs_log`.</param>
/// <param name="Fingerprint">Of what was asked for, 32 bytes.</param>
/// <param name="IsLeased">Some process is at it, by the database's clock.</param>
/// <param name="Answer">The answer that is kept; null before there is one.</param>
internal sealed record RunRequestState(Guid Id, byte[] Fingerprint, bool IsLeased, KeptAnswer? Answer)
{
    public EarlierRun Decide(byte[] fingerprint) =>
        !CryptographicOperations.FixedTimeEquals(Fingerprint, fingerprint) ? EarlierRun.IsAnother
        : Answer is not null ? EarlierRun.IsAnswered
        : IsLeased ? EarlierRun.IsUnderWay
        : EarlierRun.IsOpen;
}
