using Actors.Api.Health;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class ReadyAnswerTests
{
    [Fact]
    public void Every_check_is_named_with_its_status_and_a_sentence() => Assert.Equal(
        """
        {"status":"notReady","checks":[
        {"name":"database","status":"unhealthy","message":"The database does not answer."},
        {"name":"silo","status":"healthy","message":"The silo is active."}]}
        """.ReplaceLineEndings(""),
        WebJson.Of(Answer(
            ("silo", HealthStatus.Healthy, "The silo is active.", null),
            ("database", HealthStatus.Unhealthy, "The database does not answer.", new TimeoutException("Host=db")))));

    [Fact]
    public void A_degraded_process_is_ready() => Assert.Equal(
        "ready", Answer(("schema", HealthStatus.Degraded, "The schema is checked only in part.", null)).Status);

    [Fact]
    public void The_message_of_an_exception_is_never_shown() => Assert.Equal(
        "The check 'silo' is unhealthy; the server's log tells more.",
        Answer(("silo", HealthStatus.Unhealthy, "Password=hunter2", new InvalidOperationException("Password=hunter2")))
            .Checks.Single().Message);

    private static ReadyAnswer Answer(
        params (string Name, HealthStatus Status, string Message, Exception? Failure)[] checks) =>
        ReadyAnswer.From(new HealthReport(
            checks.ToDictionary(
                check => check.Name,
                check => new HealthReportEntry(check.Status, check.Message, TimeSpan.Zero, check.Failure, null)),
            TimeSpan.Zero));
}
