using Actors.Api.Agencies;
using Actors.Grains.Interfaces;
using Microsoft.AspNetCore.Http.HttpResults;
using NodaTime;
using Xunit;

namespace Actors.Tests.Unit.Api.Agencies;

/// <summary>What the slice of agencies decides without a database or a silo.</summary>
public sealed class AgencyDecisionsTests
{
    private static readonly AgencyId Agency = new(Guid.Parse("aaaaaaaa-0000-4000-8000-000000000001"));
    private static readonly AgencySettings Settings = new("any", "UTC", new LocalTime(17, 0), 4);

    private static readonly CutoffOutlook Outlook = new(
        Agency, Instant.FromUtc(2026, 3, 10, 18, 0), "Asia/Tokyo", new LocalTime(17, 0), "2026f", false, null,
        [new Cutoff(new LocalDate(2026, 3, 12), Instant.FromUtc(2026, 3, 12, 8, 0), CutoffResolution.Once)], null,
        new LocalDate(2026, 3, 10), new LocalDate(2026, 3, 10), null);

    [Fact]
    public void Equal_settings_have_equal_ETags_and_each_change_makes_another()
    {
        AgencySettings[] all =
        [
            Settings, Settings with { Name = "other" }, Settings with { Name = null }, Settings with { Name = "" },
            Settings with { Timezone = "Asia/Tokyo" }, Settings with { OverdueCutoffTime = new LocalTime(17, 0, 1) },
            Settings with { DueSoonThresholdDays = 5 }, Settings with { Name = "any\",\"UTC" },
        ];

        Assert.Equal(Settings.ETag, (Settings with { }).ETag);
        Assert.Equal(all.Length, all.Select(settings => settings.ETag).Distinct().Count());
        Assert.All(all, settings => Assert.Matches("^\"[0-9a-f]{32}\"$", settings.ETag));
    }

    [Fact]
    public void Differences_are_named_as_the_API_spells_them()
    {
        Assert.Empty(Settings.DifferencesTo(Settings with { }));
        Assert.Equal(
            ["name", "timezone", "overdueCutoffTime", "dueSoonThresholdDays"],
            Settings.DifferencesTo(new AgencySettings("x", "y", LocalTime.Midnight, 1)));
    }

    [Theory]
    [InlineData("abc", null)]
    [InlineData("abcg", null)]
    [InlineData("abcd1234-", "abcd1234-0000-0000-0000-000000000000 abcd1234-ffff-ffff-ffff-ffffffffffff")]
    [InlineData("ABCD", "abcd0000-0000-0000-0000-000000000000 abcdffff-ffff-ffff-ffff-ffffffffffff")]
    [InlineData("abcd12345", null)]
    [InlineData("abcd-1234", null)]
    [InlineData(
        "aaaaaaaa-0000-4000-8000-000000000001",
        "aaaaaaaa-0000-4000-8000-000000000001 aaaaaaaa-0000-4000-8000-000000000001")]
    [InlineData("aaaaaaaa-0000-4000-8000-0000000000011", null)]
    [InlineData("", null)]
    public void The_beginning_of_an_id_means_all_ids_that_begin_with_it(string text, string? ids) =>
        Assert.Equal(ids, AgencyListQuery.IdsBeginningWith(text) is { } range ? $"{range.First} {range.Last}" : null);

    [Theory]
    [InlineData("Australia/Brisbane", null)]
    [InlineData("Australia/Brisbame", "did you mean Australia/Brisbane?")]
    [InlineData("Europe/Paris", "adds a row to supported_timezones")]
    [InlineData("UTC+10", "supported are Australia/Brisbane, Mars/Olympus.")]
    [InlineData("Mars/Olympus", "supported in name only")]
    public void A_zone_must_be_supported_here_and_known_to_the_tz_database(string zone, string? says)
    {
        var advice = new SupportedZones(["Australia/Brisbane", "Mars/Olympus"]).Advice(zone);

        if (says is null) Assert.Null(advice);
        else Assert.Contains(says, advice, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_can_be_filtered_by_any_zone_that_an_agency_may_have()
    {
        var zones = new SupportedZones(["Australia/Brisbane", "Mars/Olympus"]);

        Assert.Null(zones.FilterAdvice("Mars/Olympus"));
        Assert.NotNull(zones.FilterAdvice("Europe/Paris"));
    }

    [Theory]
    [InlineData("2026-03-10", null, true, true)]
    [InlineData("2026-03-11", null, true, true)]
    [InlineData("2026-03-11", "2026-03-10", true, true)]
    [InlineData("2026-03-11", "2026-03-11", true, false)]
    [InlineData("2026-03-10", "2026-03-10", false, false)]
    public void Todays_cutoff_has_passed_by_a_change_if_it_had_not_been_served_before(
        string marksThrough, string? lastServed, bool hasPassed, bool thereby)
    {
        // In Tokyo it is the 11th already.
        var date = Pattern.Parse(marksThrough).Value;
        var rule = new AgencyRule(Outlook with { MarksThrough = date }, null);
        var served = lastServed is null ? (LocalDate?)null : Pattern.Parse(lastServed).Value;

        var today = TodaysCutoff.Of(rule, served)!;

        Assert.Equal(new LocalDate(2026, 3, 11), today.Date);
        Assert.Equal(hasPassed && date >= today.Date, today.HasPassed);
        Assert.Equal(thereby && date >= today.Date, today.HasPassedThereby);
    }

    [Fact]
    public void What_is_closed_is_unknown_without_a_silo_or_a_zone_and_while_paused_is_what_comes_before_the_next()
    {
        Assert.Null(new AgencyRule(null, "any").ClosedThrough);
        var nowhere = Outlook with { MarksThrough = null, NextCutoffs = [], Problem = "any" };
        Assert.Null(new AgencyRule(nowhere, null).ClosedThrough);
        Assert.Null(new AgencyRule(nowhere, null).Today);
        Assert.Equal(
            new LocalDate(2026, 3, 11),
            new AgencyRule(Outlook with { IsPaused = true, MarksThrough = null }, null).ClosedThrough);
    }

    [Theory]
    [InlineData(ResumeOutcome.NotFound, 404, "agency-not-found")]
    [InlineData(ResumeOutcome.NotPaused, 409, "agency-not-paused")]
    [InlineData(ResumeOutcome.Busy, 409, "agency-busy")]
    [InlineData(ResumeOutcome.SkipFailed, 409, "resume-failed")]
    public void A_resume_that_did_nothing_or_half_of_it_is_refused(ResumeOutcome outcome, int status, string code)
    {
        var result = new ResumeResult(Agency, outcome, null, [], [], null, null);
        var problem = Assert.IsType<ProblemHttpResult>(AgencyResuming.Decide("x", "skip", result, "UTC").Result);

        Assert.Equal((status, code), (problem.StatusCode, problem.ProblemDetails.Extensions["code"]));
    }

    [Fact]
    public void A_resume_whose_catching_up_failed_is_a_resume_and_says_what_went_wrong()
    {
        var result = new ResumeResult(Agency, ResumeOutcome.CatchUpFailed, null, [], [], null, "it failed");
        var answer = Assert.IsType<Ok<ResumedAnswer>>(
            AgencyResuming.Decide("x", "catchUp", result, "UTC").Result).Value!;

        Assert.Equal(("catchUpFailed", "it failed"), (answer.Outcome, answer.Error));
    }

    [Theory]
    [InlineData(UndoOutcome.NotFound, 404, "agency-run-not-found")]
    [InlineData(UndoOutcome.AlreadyUndone, 409, "run-already-undone")]
    [InlineData(UndoOutcome.NothingToUndo, 409, "nothing-to-undo")]
    [InlineData(UndoOutcome.Busy, 409, "agency-busy")]
    [InlineData(UndoOutcome.Failed, 409, "undo-failed")]
    public void An_undo_that_did_nothing_is_refused(UndoOutcome outcome, int status, string code)
    {
        var left = Enum.GetValues<LeftOutReason>().Select(why => new LeftOutInstallment(Guid.Empty, why)).ToArray();
        var result = new UndoResult(Guid.Empty, outcome, 0, left, left.Length, null, null);
        var problem = RunUndoing.Refusal("x", Agency.Value, result);

        Assert.Equal((status, code), (problem.StatusCode, problem.ProblemDetails.Extensions["code"]));
        Assert.Equal(
            ["paid", "changed", "heldByLaterRun", "deleted", "locked"],
            LeftOutItem.Of(result).Select(item => item.Why));
    }

    private static NodaTime.Text.LocalDatePattern Pattern => NodaTime.Text.LocalDatePattern.Iso;
}
