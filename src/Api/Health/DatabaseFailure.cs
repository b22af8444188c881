using System.Net.Sockets;
using Npgsql;

namespace Actors.Api.Health;

/// <summary>What is wrong with the database, for `/health/ready`, which anybody may ask.</summary>
public static class DatabaseFailure
{
    internal const string OnlyRead = "The database can only be read: it is a standby, or made read-only.";

    /// <summary>Without the server's own words, which may name logins and hosts.</summary>
    public static string Sentence(Exception failure) => failure switch
    {
        PostgresException { SqlState: PostgresErrorCodes.TooManyConnections } =>
            "The database takes no more connections: its limit, or that of the login, is reached.",
        PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow } =>
            "The database is starting up or shutting down.",
        PostgresException { SqlState: PostgresErrorCodes.InvalidPassword
            or PostgresErrorCodes.InvalidAuthorizationSpecification } =>
            "The database does not let the login in.",
        PostgresException { SqlState: PostgresErrorCodes.InvalidCatalogName } => "The database does not exist.",
        PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction } => OnlyRead,
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => "The database's disk is full.",
        { InnerException: SocketException or IOException or TimeoutException } => "The database does not answer.",
        PostgresException => "The database refuses the question; the server's log tells more.",
        _ => "The database does not answer, or no connection to it is free.",
    };
}
