using Actors.Api.Runs;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Api;

/// <summary>How far a run is, from what the database has of it.</summary>
public sealed class RequestedRunTests
{
    private static readonly Guid Id = Guid.Parse("bbbbbbbb-0000-4000-8000-000000000002");
    private static readonly Instant Asked = Instant.FromUtc(2026, 8, 10, 7, 0);
    private static readonly Instant Ended = Asked + Duration.FromSeconds(9);

    private static readonly RequestedRun UnderWay =
        new(Id, "cron", "late file", Asked, null, IsLeased: true, IsRecent: true, null, null);

    private static readonly RequestedRun Abandoned = UnderWay with { IsLeased = false };
    private static readonly KeptAnswer Marked = new(200, """{"recordsUpdated":3}""");
    private static readonly KeptAnswer Refused = new(409, """{"detail":"The agency is paused."}""");
    private static readonly KeptAnswer Away = new(503, """{"detail":"No silo answers."}""");

    [Fact]
    public void While_a_process_is_at_it_it_is_running_whatever_the_log_says()
    {
        var answer = (UnderWay with { Logged = new LoggedRun("success", Ended, 3, null) }).Decide();

        Assert.Equal("running", answer.Status);
        Assert.Null(answer.CompletedAt);
        Assert.Null(answer.RecordsUpdated);
        Assert.Equal($"/api/jobs/{Id}", answer.Job);
    }

    [Fact]
    public void An_answer_that_is_kept_is_how_it_ended()
    {
        var answer = (Abandoned with { Answer = Marked, CompletedAt = Ended }).Decide();

        Assert.Equal(("succeeded", 3, Ended), (answer.Status, answer.RecordsUpdated, answer.CompletedAt));
        Assert.Equal(200, answer.Answer!.Status);
        Assert.Equal("""{"recordsUpdated":3}""", answer.Answer.Body.GetRawText());
        Assert.Null(answer.Error);
        Assert.Null(answer.Job);
    }

    [Fact]
    public void A_refusal_that_is_kept_is_a_failure_with_its_sentence()
    {
        var answer = (Abandoned with { Answer = Refused, CompletedAt = Ended }).Decide();

        Assert.Equal(("failed", "The agency is paused."), (answer.Status, answer.Error));
        Assert.Equal(409, answer.Answer!.Status);
    }

    [Fact]
    public void A_run_of_many_of_which_some_failed_has_failed()
    {
        var answer = (Abandoned with
        {
            Answer = new KeptAnswer(200, """{"status":"failed","recordsUpdated":7,"error":"3 of 10 failed"}"""),
            CompletedAt = Ended,
        }).Decide();

        Assert.Equal(("failed", 7, "3 of 10 failed"), (answer.Status, answer.RecordsUpdated, answer.Error));
    }

    [Theory]
    [InlineData("success", "succeeded")]
    [InlineData("failed", "failed")]
    [InlineData("running", "running")]
    public void Without_an_answer_the_log_knows_how_it_ended(string logged, string status)
    {
        var isOver = logged != "running";
        var answer = (Abandoned with
        {
            Logged = new LoggedRun(logged, isOver ? Ended : null, 5, logged == "failed" ? "one failed" : null),
        }).Decide();

        Assert.Equal(status, answer.Status);
        Assert.Equal(isOver ? 5 : null, answer.RecordsUpdated);
        Assert.Equal(isOver ? Ended : null, answer.CompletedAt);
        Assert.Equal(logged == "failed" ? "one failed" : null, answer.Error);
        Assert.Null(answer.Answer);
    }

    [Fact]
    public void What_the_log_says_counts_before_an_error_of_the_moment()
    {
        var answer = (Abandoned with { Answer = Away, Logged = new LoggedRun("success", Ended, 5, null) }).Decide();

        Assert.Equal(("succeeded", 5), (answer.Status, answer.RecordsUpdated));
        Assert.Null(answer.Answer);
    }

    [Fact]
    public void An_error_of_the_moment_is_a_failure_where_nothing_was_written()
    {
        var answer = (Abandoned with { Answer = Away }).Decide();

        Assert.Equal(("failed", "No silo answers."), (answer.Status, answer.Error));
        Assert.Equal(503, answer.Answer!.Status);
    }

    [Fact]
    public void Where_nobody_is_at_it_and_nothing_was_written_it_may_still_come_for_a_while()
    {
        Assert.Equal("running", Abandoned.Decide().Status);

        var late = (Abandoned with { IsRecent = false }).Decide();
        Assert.Equal("failed", late.Status);
        Assert.Contains("Ask again", late.Error, StringComparison.Ordinal);
    }
}
