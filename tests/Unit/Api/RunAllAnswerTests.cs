using Actors.Api.Errors;
using Actors.Api.Jobs;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Actors.Tests.Unit.Api;

/// <summary>The answers of the original design, to the character.</summary>
public sealed class RunAllAnswerTests
{
    private static readonly JobId Job = new(Guid.Parse("bbbbbbbb-0000-4000-8000-000000000002"));
    private static readonly AgencyId First = new(Guid.Parse("aaaaaaaa-0000-4000-8000-000000000001"));
    private static readonly AgencyId Second = new(Guid.Parse("aaaaaaaa-0000-4000-8000-000000000002"));
    private static readonly AgencyId Third = new(Guid.Parse("aaaaaaaa-0000-4000-8000-000000000003"));

    private const string TwoAgencies =
        """
        [{"agency_id":"aaaaaaaa-0000-4000-8000-000000000001","updated_count":3,"transitions":{"pending_to_overdue":3}},
        {"agency_id":"aaaaaaaa-0000-4000-8000-000000000002","updated_count":0,"transitions":{"pending_to_overdue":0}}]
        """;

    [Fact]
    public void Success_is_200_in_the_originals_words()
    {
        var answer = RunAllAnswer.Decide(new(Job, [new(First, 3), new(Second, 0)], [], null));

        Assert.Equal(
            $$"""{"success":true,"recordsUpdated":3,"agencies":{{TwoAgencies.ReplaceLineEndings("")}}}""",
            WebJson.Of(Assert.IsType<Ok<RunAllAnswer>>(answer.Result).Value));
    }

    [Fact]
    public void No_agency_at_all_is_success() => Assert.Equal(
        """{"success":true,"recordsUpdated":0,"agencies":[]}""",
        WebJson.Of(Assert.IsType<Ok<RunAllAnswer>>(RunAllAnswer.Decide(new(Job, [], [], null)).Result).Value));

    [Fact]
    public void Where_some_failed_the_answer_is_500_and_tells_what_the_others_marked()
    {
        var answer = RunAllAnswer.Decide(new(
            Job, [new(First, 3), new(Second, 0)], [new(Third, "No such zone.")], "1 of 3 agencies failed: No zone."));

        var failure = Assert.IsType<InternalServerError<RunAllAnswer>>(answer.Result);
        Assert.Equal(500, failure.StatusCode);
        Assert.Equal(
            $$"""
            {"success":false,"recordsUpdated":3,"agencies":{{TwoAgencies}},"error":"1 of 3 agencies failed: No zone."}
            """.ReplaceLineEndings(""),
            WebJson.Of(failure.Value));
    }

    [Fact]
    public void A_failure_is_never_called_success_for_want_of_a_sentence()
    {
        var answer = RunAllAnswer.Decide(new(Job, [], [new(Third, "No such zone.")], null));

        Assert.Equal(
            """{"success":false,"recordsUpdated":0,"agencies":[],"error":"1 agencies failed: No such zone."}""",
            WebJson.Of(Assert.IsType<InternalServerError<RunAllAnswer>>(answer.Result).Value));
    }

    [Fact]
    public void A_refusal_is_401_in_the_originals_words()
    {
        var refusal = Assert.IsType<JsonHttpResult<RefusalAnswer>>(new OriginalErrors().Shape(ApiError.Unauthorized));

        Assert.Equal(401, refusal.StatusCode);
        Assert.Equal("""{"error":"Unauthorized"}""", WebJson.Of(refusal.Value));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(504)]
    public void Whatever_the_server_fails_at_is_500_in_the_originals_words(int status)
    {
        var error = new ApiError(status, "any", "Any", "It failed.");

        var failure = Assert.IsType<InternalServerError<RunAllAnswer>>(new OriginalErrors().Shape(error));
        Assert.Equal(
            """{"success":false,"recordsUpdated":0,"agencies":[],"error":"It failed."}""",
            WebJson.Of(failure.Value));
    }

    [Theory]
    [InlineData(403)]
    [InlineData(413)]
    public void What_the_original_did_not_foresee_keeps_its_status(int status)
    {
        var error = new ApiError(status, "any", "Any", "It was refused.");

        Assert.Equal(status, Assert.IsType<IStatusCodeHttpResult>(new OriginalErrors().Shape(error), false).StatusCode);
    }
}
