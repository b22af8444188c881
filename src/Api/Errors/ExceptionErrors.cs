using Actors.Api.Access;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Orleans.Runtime.Messaging;

namespace Actors.Api.Errors;

/// <summary>
/// Which error an exception is answered with. An exception's own message is never part of the answer: it may name
/// hosts, logins or rows.
/// </summary>
public static class ExceptionErrors
{
    /// <summary>This process stood still for so long that the server ended its transaction.</summary>
    private const string IdleInTransaction = "25P03";

    public static ApiError Decide(Exception exception) => exception switch
    {
        BadHttpRequestException refused => ApiError.FromStatus(refused.StatusCode),
        TimeoutException => ApiError.RunTimedOut,
        TooManyKeysException => ApiError.TooManyRequests,
        SigningKeysUnavailableException => ApiError.KeysUnavailable,
        PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } => ApiError.NotPermitted,
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } => ApiError.DatabaseBusy,
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction or IdleInTransaction } =>
            ApiError.DatabaseUnavailable,
        NpgsqlException { IsTransient: true } => ApiError.DatabaseUnavailable,
        SiloUnavailableException or OrleansMessageRejectionException or ConnectionFailedException
            or ClientNotAvailableException or GatewayTooBusyException => ApiError.SiloUnavailable,
        // The silo that was at it stops; another takes over.
        OperationCanceledException => ApiError.SiloUnavailable,
        _ => ApiError.Unexpected,
    };
}
