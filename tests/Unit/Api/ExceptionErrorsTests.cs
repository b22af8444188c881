using System.Net.Sockets;
using Actors.Api.Errors;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Orleans.Runtime.Messaging;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class ExceptionErrorsTests
{
    private const string Secret = "Host=db.internal;Password=hunter2";

    public static TheoryData<Exception, int, string> Mappings => new()
    {
        { new BadHttpRequestException(Secret, 413), 413, "body-too-large" },
        { new BadHttpRequestException(Secret, 400), 400, "malformed-body" },
        { new TimeoutException(Secret), 504, "run-timed-out" },
        { new NpgsqlException(Secret, new SocketException(111)), 503, "database-unavailable" },
        { new PostgresException(Secret, "FATAL", "FATAL", "57P01"), 503, "database-unavailable" },
        { new PostgresException(Secret, "ERROR", "ERROR", "25006"), 503, "database-unavailable" },
        { new PostgresException(Secret, "FATAL", "FATAL", "25P03"), 503, "database-unavailable" },
        { new PostgresException(Secret, "ERROR", "ERROR", "42P01"), 500, "unexpected" },
        { new SiloUnavailableException(Secret), 503, "silo-unavailable" },
        { new ConnectionFailedException(Secret), 503, "silo-unavailable" },
        { new GatewayTooBusyException(Secret), 503, "silo-unavailable" },
        { new TaskCanceledException(Secret), 503, "silo-unavailable" },
        { new InvalidOperationException(Secret), 500, "unexpected" },
    };

    [Theory]
    [MemberData(nameof(Mappings), DisableDiscoveryEnumeration = true)]
    public void An_exception_is_answered_by_kind_and_never_by_its_message(Exception exception, int status, string code)
    {
        var error = ExceptionErrors.Decide(exception);

        Assert.Equal((status, code), (error.Status, error.Code));
        Assert.DoesNotContain("hunter2", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_status_has_an_error_of_that_status() =>
        Assert.All(Enumerable.Range(400, 200), status => Assert.Equal(status, ApiError.FromStatus(status).Status));
}
