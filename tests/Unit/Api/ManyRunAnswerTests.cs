using Actors.Api.Runs;
using Actors.Grains.Interfaces;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class ManyRunAnswerTests
{
    private static readonly JobId Job = new(Guid.Parse("bbbbbbbb-0000-4000-8000-000000000002"));

    [Fact]
    public void A_run_is_answered_with_who_marked_something_and_counts_of_all() => Assert.Equal(
        """
        {"jobId":"bbbbbbbb-0000-4000-8000-000000000002","status":"succeeded","recordsUpdated":3,
        "transitions":{"pending_to_overdue":3},"agenciesUpToDate":2,"agenciesFailed":0,"agenciesLeftOut":1,
        "agencies":[{"agencyId":"00000001-0000-0000-0000-000000000000","recordsUpdated":3}],
        "agenciesAreCut":false,"failures":[],"error":null}
        """.ReplaceLineEndings(""),
        WebJson.Of(ManyRunAnswer.From(new(Job, [Count(1, 3), Count(2, 0)], [], null), selected: 3)));

    [Fact]
    public void A_run_of_all_leaves_nobody_out_that_was_selected() =>
        Assert.Null(ManyRunAnswer.From(new(Job, [Count(1, 3)], [], null), selected: null).AgenciesLeftOut);

    [Fact]
    public void One_failure_makes_it_a_failed_run_that_marked_something_all_the_same()
    {
        var answer = ManyRunAnswer.From(
            new(Job, [Count(1, 3)], [new AgencyFailure(new AgencyId(Id(2)), "the zone is unknown")], null),
            selected: 2);

        Assert.Equal(("failed", 3, 1, 0), (answer.Status, answer.RecordsUpdated, answer.AgenciesFailed,
            answer.AgenciesLeftOut));
        Assert.Equal(
            $"1 agency failed; the first: {Id(2)}: the zone is unknown", answer.Error);
    }

    [Fact]
    public void Long_lists_are_cut_and_say_so()
    {
        var answer = ManyRunAnswer.From(
            new(Job, [.. Enumerable.Range(1, 1_001).Select(number => Count(number, 1))],
                [.. Enumerable.Range(2_000, 101).Select(number => new AgencyFailure(new AgencyId(Id(number)), "x"))],
                "101 of 1,102 agencies failed: …"),
            selected: null);

        Assert.Equal((1_001, 1_000, true), (answer.RecordsUpdated, answer.Agencies.Count, answer.AgenciesAreCut));
        Assert.Equal((101, 100), (answer.AgenciesFailed, answer.Failures.Count));
        Assert.Equal("101 of 1,102 agencies failed: …", answer.Error);
    }

    private static AgencyCount Count(int agency, int records) => new(new AgencyId(Id(agency)), records);

    private static Guid Id(int number) => new(number, 0, 0, new byte[8]);
}
