using Actors.Api.Runs;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class AgencyRunAnswerTests
{
    private static readonly AgencyId Agency = new(Guid.Parse("aaaaaaaa-0000-4000-8000-000000000001"));
    private static readonly JobId Job = new(Guid.Parse("bbbbbbbb-0000-4000-8000-000000000002"));
    private static readonly Instant NextCutoff = Instant.FromUtc(2026, 8, 11, 7, 0);

    private static readonly ServedCutoff[] TwoCutoffs =
    [
        new(new LocalDate(2026, 8, 9), Instant.FromUtc(2026, 8, 9, 7, 0), true, 3),
        new(new LocalDate(2026, 8, 10), Instant.FromUtc(2026, 8, 10, 7, 0).PlusNanoseconds(500_000_000), false, 4),
    ];

    [Fact]
    public void A_run_is_answered_with_what_it_marked() => Assert.Equal(
        """
        {"agencyId":"aaaaaaaa-0000-4000-8000-000000000001","jobId":"bbbbbbbb-0000-4000-8000-000000000002",
        "outcome":"upToDate","recordsUpdated":7,"transitions":{"pending_to_overdue":7},"cutoffs":[
        {"cutoffDate":"2026-08-09","cutoffAt":"2026-08-09T07:00:00Z","servesCutoff":true,"recordsUpdated":3},
        {"cutoffDate":"2026-08-10","cutoffAt":"2026-08-10T07:00:00.5Z","servesCutoff":false,"recordsUpdated":4}],
        "nextCutoffAt":"2026-08-11T07:00:00Z"}
        """.ReplaceLineEndings(""),
        WebJson.Of(Success(new(Agency, AgencyRunOutcome.UpToDate, Job, TwoCutoffs, NextCutoff, null))));

    [Fact]
    public void A_run_that_wrote_nothing_has_no_job() => Assert.Equal(
        """
        {"agencyId":"aaaaaaaa-0000-4000-8000-000000000001","jobId":null,"outcome":"nothingUnserved",
        "recordsUpdated":0,"transitions":{"pending_to_overdue":0},"cutoffs":[],"nextCutoffAt":"2026-08-11T07:00:00Z"}
        """.ReplaceLineEndings(""),
        WebJson.Of(Success(new(Agency, AgencyRunOutcome.NothingUnserved, null, [], NextCutoff, null))));

    [Fact]
    public void An_unknown_agency_is_404()
    {
        var problem = Problem(new(Agency, AgencyRunOutcome.NotFound, null, [], null, null));

        Assert.Equal(404, problem.StatusCode);
        Assert.Equal("urn:actors:problem:agency-not-found", problem.ProblemDetails.Type);
        Assert.Equal("agency-not-found", problem.ProblemDetails.Extensions["code"]);
        Assert.Equal("No agency has the id aaaaaaaa-0000-4000-8000-000000000001.", problem.ProblemDetails.Detail);
    }

    [Fact]
    public void A_paused_agency_is_409()
    {
        var problem = Problem(new(Agency, AgencyRunOutcome.Paused, null, [], null, null));

        Assert.Equal(409, problem.StatusCode);
        Assert.Equal("urn:actors:problem:agency-paused", problem.ProblemDetails.Type);
        Assert.Equal("agency-paused", problem.ProblemDetails.Extensions["code"]);
        Assert.Equal(Agency.Value, problem.ProblemDetails.Extensions["agencyId"]);
    }

    [Fact]
    public void A_failed_run_is_409_with_its_sentence_and_what_it_had_marked()
    {
        var problem = Problem(new(
            Agency, AgencyRunOutcome.Failed, Job, TwoCutoffs[..1], null, "The zone 'Mars/Base' is unknown."));

        Assert.Equal(409, problem.StatusCode);
        Assert.Equal("urn:actors:problem:agency-run-failed", problem.ProblemDetails.Type);
        Assert.Equal("The zone 'Mars/Base' is unknown.", problem.ProblemDetails.Detail);
        Assert.Equal("agency-run-failed", problem.ProblemDetails.Extensions["code"]);
        Assert.Equal(Job.Value, problem.ProblemDetails.Extensions["jobId"]);
        Assert.Equal(3, problem.ProblemDetails.Extensions["recordsUpdated"]);
    }

    [Fact]
    public void A_failure_that_could_not_be_recorded_is_503_since_it_may_pass()
    {
        var problem = Problem(
            new(Agency, AgencyRunOutcome.Failed, null, [], null, "secret: connection to 10.0.0.1") { MayPass = true });

        Assert.Equal(503, problem.StatusCode);
        Assert.Equal("agency-run-not-recorded", problem.ProblemDetails.Extensions["code"]);
        Assert.DoesNotContain("secret", problem.ProblemDetails.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failure_that_does_not_pass_by_itself_is_409_also_where_no_date_was_unserved_to_record_it_under()
    {
        var problem = Problem(new(Agency, AgencyRunOutcome.Failed, null, [], null, "a trigger says no (P0001)"));

        Assert.Equal(409, problem.StatusCode);
        Assert.Equal("agency-run-failed", problem.ProblemDetails.Extensions["code"]);
        Assert.Equal("a trigger says no (P0001)", problem.ProblemDetails.Detail);
    }

    [Fact]
    public void Every_outcome_has_an_answer() => Assert.All(
        Enum.GetValues<AgencyRunOutcome>(),
        outcome => AgencyRunAnswer.Decide(new(Agency, outcome, Job, [], NextCutoff, null)));

    private static AgencyRunAnswer? Success(AgencyRunResult result) =>
        Assert.IsType<Ok<AgencyRunAnswer>>(AgencyRunAnswer.Decide(result).Result).Value;

    private static ProblemHttpResult Problem(AgencyRunResult result) =>
        Assert.IsType<ProblemHttpResult>(AgencyRunAnswer.Decide(result).Result);
}
