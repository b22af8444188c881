using System.Text.Json;
using Actors.Grains.Interfaces;
using Actors.Tests.Integration.Grains;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>`GET /api/agencies/{id}`, beside a real silo whose clock the test sets.</summary>
public sealed class AgencyDetailsTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task An_agency_is_shown_with_its_settings_its_next_five_cutoffs_and_its_last_run()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-27T18:00:00Z", "Europe/Paris", "02:30");

        var shown = await ReadAsync(agency);

        Assert.Equal(agency, shown.GetProperty("id").GetGuid());
        Assert.Equal("any", shown.GetProperty("name").GetString());
        Assert.Equal("Europe/Paris", shown.GetProperty("timezone").GetString());
        Assert.Equal("02:30:00", shown.GetProperty("overdueCutoffTime").GetString());
        Assert.Equal(4, shown.GetProperty("dueSoonThresholdDays").GetInt32());
        Assert.Equal("onTime", shown.GetProperty("state").GetString());
        Assert.Equal("2026-03-27T18:00:00Z", shown.GetProperty("asOf").GetProperty("instant").GetString());
        Assert.Equal("2026-03-27T19:00:00", shown.GetProperty("asOf").GetProperty("local").GetString());
        // The clocks go forward on the 29th, from 02:00 to 03:00.
        Assert.Equal(
            [
                "2026-03-28 2026-03-28T02:30:00 +01 once", "2026-03-29 2026-03-29T03:30:00 +02 shifted",
                "2026-03-30 2026-03-30T02:30:00 +02 once", "2026-03-31 2026-03-31T02:30:00 +02 once",
                "2026-04-01 2026-04-01T02:30:00 +02 once",
            ],
            shown.GetProperty("nextCutoffs").EnumerateArray().Select(cutoff => string.Join(
                ' ',
                cutoff.GetProperty("date").GetString(),
                cutoff.GetProperty("at").GetProperty("local").GetString(),
                cutoff.GetProperty("at").GetProperty("offset").GetString(),
                cutoff.GetProperty("resolution").GetString())));
        Assert.Equal("2026-03-27", shown.GetProperty("lastServed").GetProperty("date").GetString());
        var run = shown.GetProperty("lastRun");
        Assert.Equal("2026-03-27", run.GetProperty("cutoffDate").GetString());
        Assert.Equal("2026-03-27T01:30:00Z", run.GetProperty("cutoff").GetProperty("instant").GetString());
        Assert.True(run.GetProperty("servesCutoff").GetBoolean());
        Assert.Equal("catchUp", run.GetProperty("trigger").GetString());
        Assert.Equal("success", run.GetProperty("status").GetString());
        Assert.StartsWith("20", shown.GetProperty("tzdbVersion").GetString(), StringComparison.Ordinal);
        Assert.All(
            ["unserved", "pause", "failure", "notice"],
            nothing => Assert.Equal(JsonValueKind.Null, shown.GetProperty(nothing).ValueKind));
    }

    [Fact]
    public async Task The_newest_run_is_the_last_also_when_it_serves_no_cutoff()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-04-02T18:00:00Z");
        await api.World.AddInstallmentAsync(agency, "2026-04-01");
        api.World.Clock.Now = GrainWorld.At("2026-04-02T19:00:00Z");
        await api.World.BringUpToDateAsync(agency, RunTrigger.Api);

        var run = (await ReadAsync(agency)).GetProperty("lastRun");

        Assert.False(run.GetProperty("servesCutoff").GetBoolean());
        Assert.Equal(1, run.GetProperty("recordsUpdated").GetInt32());
        Assert.Equal("api", run.GetProperty("trigger").GetString());
    }

    [Theory]
    [InlineData("name = 'another'")]
    [InlineData("timezone = 'Europe/London'")]
    [InlineData("overdue_cutoff_time = '17:00:01'")]
    [InlineData("due_soon_threshold_days = 5")]
    public async Task The_ETag_is_strong_and_changes_with_every_setting_also_where_it_is_changed_in_SQL(string change)
    {
        var agency = await api.World.AddAgencyAsync();
        var before = await ETagAsync(agency);
        await api.World.ExecuteAsync($"UPDATE agencies SET {change} WHERE id = $1", agency);
        var after = await ETagAsync(agency);

        Assert.Matches("^\"[0-9a-f]{32}\"$", before);
        Assert.NotEqual(before, after);
        Assert.Equal(after, await ETagAsync(agency));
    }

    [Fact]
    public async Task The_ETag_does_not_change_with_what_is_no_setting()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-04-03T18:00:00Z");
        var before = await ETagAsync(agency);
        await api.World.AddInstallmentAsync(agency, "2026-04-01");
        await api.World.ExecuteAsync("UPDATE agencies SET created_at = now(), name = name WHERE id = $1", agency);

        Assert.Equal(before, await ETagAsync(agency));
    }

    [Fact]
    public async Task Installments_are_counted_and_summed_by_status()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-04-05T18:00:00Z");
        foreach (var status in (string[])["paid", "paid", "overdue", "draft", "pending"])
            await api.World.AddInstallmentAsync(agency, "2026-01-01", status);
        await api.World.AddInstallmentAsync(await api.World.AddAgencyAsync(), "2026-01-01", "cancelled");

        var totals = (await ReadAsync(agency)).GetProperty("installments");

        Assert.Equal(
            ["draft 1 10", "overdue 1 10", "paid 2 20", "pending 1 10"],
            totals.GetProperty("byStatus").EnumerateArray().Select(total =>
                $"{total.GetProperty("status")} {total.GetProperty("count")} {Sums(total)}"));
    }

    [Fact]
    public async Task Sums_are_of_one_currency_each_where_the_applications_table_has_currencies()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-10T17:30:00Z");
        foreach (var due in (string[])["2026-03-11", "2026-03-12", "2026-03-13"])
            await api.World.AddInstallmentAsync(agency, due);
        api.World.Clock.Now = GrainWorld.At("2026-03-11T09:00:00Z");
        await api.World.ExecuteAsync("ALTER TABLE installments ADD COLUMN currency text DEFAULT 'USD'");
        try
        {
            await api.World.ExecuteAsync(
                "UPDATE installments SET currency = 'JPY', amount = 10000 WHERE student_due_date = '2026-03-13'");

            var totals = (await ReadAsync(agency)).GetProperty("installments");

            Assert.Equal("10000 JPY, 20 USD", Sums(totals.GetProperty("byStatus")[0]));
            Assert.Equal(3, totals.GetProperty("dueSoon").GetProperty("count").GetInt32());
            Assert.Equal("10000 JPY, 20 USD", Sums(totals.GetProperty("dueSoon")));
        }
        finally
        {
            await api.World.ExecuteAsync("ALTER TABLE installments DROP COLUMN currency");
        }
    }

    [Theory]
    // Served on the 10th at 17:00: that day is closed, the 11th is soon, and so is the 14th, four days ahead.
    [InlineData("2026-03-10T18:00:00Z", "2026-03-10", false)]
    [InlineData("2026-03-10T18:00:00Z", "2026-03-11", true)]
    [InlineData("2026-03-10T18:00:00Z", "2026-03-14", true)]
    [InlineData("2026-03-10T18:00:00Z", "2026-03-15", false)]
    // In the morning of the 11th, that day itself is soon, and still open.
    [InlineData("2026-03-11T09:00:00Z", "2026-03-11", true)]
    [InlineData("2026-03-11T09:00:00Z", "2026-03-10", false)]
    [InlineData("2026-03-11T09:00:00Z", "2026-03-15", true)]
    [InlineData("2026-03-11T09:00:00Z", "2026-03-16", false)]
    [InlineData("2026-03-11T09:00:00Z", null, false)]
    public async Task Due_soon_is_what_closes_from_the_agencys_today_to_its_threshold(
        string now, string? due, bool isSoon)
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-10T17:30:00Z");
        await api.World.AddInstallmentAsync(agency, due);
        await api.World.AddInstallmentAsync(agency, due, "paid");
        await api.World.AddInstallmentAsync(agency, due, plan: "paused");
        api.World.Clock.Now = GrainWorld.At(now);

        var soon = (await ReadAsync(agency)).GetProperty("installments").GetProperty("dueSoon");

        Assert.Equal(isSoon ? 1 : 0, soon.GetProperty("count").GetInt32());
        Assert.Equal(isSoon ? "10" : "", Sums(soon));
    }

    [Fact]
    public async Task Today_is_the_agencys_and_not_Greenwichs()
    {
        // 20:00 UTC on the 10th is the morning of the 11th in Brisbane, and 17:00 there is ahead.
        var agency = await api.World.AddServedAgencyAsync("2026-05-10T20:00:00Z", "Australia/Brisbane");
        await api.World.AddInstallmentAsync(agency, "2026-05-10");
        await api.World.AddInstallmentAsync(agency, "2026-05-11");
        await api.World.AddInstallmentAsync(agency, "2026-05-15");

        var soon = (await ReadAsync(agency)).GetProperty("installments").GetProperty("dueSoon");

        Assert.Equal(2, soon.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task What_is_late_says_since_when_and_how_many_dates_are_unserved()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-06-01T18:00:00Z");
        api.World.Clock.Now = GrainWorld.At("2026-06-03T17:00:30Z");

        var shown = await ReadAsync(agency);

        Assert.Equal("late", shown.GetProperty("state").GetString());
        var unserved = shown.GetProperty("unserved");
        Assert.Equal("2026-06-02T17:00:00Z", unserved.GetProperty("since").GetProperty("instant").GetString());
        Assert.Equal(86_430, unserved.GetProperty("seconds").GetDouble());
        Assert.Equal("2026-06-02", unserved.GetProperty("firstDate").GetString());
        Assert.Equal("2026-06-03", unserved.GetProperty("lastDate").GetString());
        Assert.Equal(2, unserved.GetProperty("dates").GetInt32());
    }

    [Fact]
    public async Task What_failed_says_how_often_why_and_until_when_it_is_set_aside()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-06-05T18:00:00Z");
        await api.World.ExecuteAsync(
            """
            UPDATE agency_cutoffs
            SET failed_attempts = 3, last_error = 'it failed', set_aside_until = '2026-06-05 18:02Z'
            WHERE agency_id = $1
            """,
            agency);

        var shown = await ReadAsync(agency);

        Assert.Equal("failed", shown.GetProperty("state").GetString());
        var failure = shown.GetProperty("failure");
        Assert.Equal(3, failure.GetProperty("attempts").GetInt32());
        Assert.Equal("it failed", failure.GetProperty("error").GetString());
        Assert.Equal(
            "2026-06-05T18:02:00Z", failure.GetProperty("setAsideUntil").GetProperty("instant").GetString());
    }

    [Fact]
    public async Task An_agency_that_was_never_served_has_cutoffs_ahead_and_nothing_behind()
    {
        api.World.Clock.Now = GrainWorld.At("2026-06-07T18:00:00Z");
        var agency = await api.World.AddAgencyAsync();

        var shown = await ReadAsync(agency);

        Assert.Equal(5, shown.GetProperty("nextCutoffs").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("lastServed").ValueKind);
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("lastRun").ValueKind);
    }

    [Fact]
    public async Task A_zone_that_the_tz_database_does_not_know_is_said_and_nothing_is_guessed()
    {
        api.World.Clock.Now = GrainWorld.At("2026-06-08T18:00:00Z");
        var agency = await api.World.AddAgencyAsync("Mars/Olympus");

        var shown = await ReadAsync(agency);

        Assert.Contains("Mars/Olympus", shown.GetProperty("notice").GetString()!, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("nextCutoffs").ValueKind);
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("installments").GetProperty("dueSoon").ValueKind);
        Assert.Equal("UTC", shown.GetProperty("asOf").GetProperty("timezone").GetString());
    }

    [Fact]
    public async Task Where_no_silo_answers_the_facts_are_shown_and_what_needs_the_rule_is_null_with_a_notice()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-06-09T18:00:00Z");
        await api.World.AddInstallmentAsync(agency, "2026-06-10");

        using var response = await AgencyApi.GetAsync(await api.AloneAsync, $"/api/agencies/{agency}");

        var shown = await AgencyApi.OkAsync(response);
        Assert.NotNull(response.Headers.ETag);
        Assert.Contains("No silo answers", shown.GetProperty("notice").GetString()!, StringComparison.Ordinal);
        Assert.Equal("2026-06-09", shown.GetProperty("lastServed").GetProperty("date").GetString());
        Assert.Equal(1, shown.GetProperty("installments").GetProperty("byStatus").GetArrayLength());
        Assert.All(
            [
                shown.GetProperty("nextCutoffs"), shown.GetProperty("tzdbVersion"),
                shown.GetProperty("installments").GetProperty("dueSoon"),
            ],
            unknown => Assert.Equal(JsonValueKind.Null, unknown.ValueKind));
    }

    [Theory]
    [InlineData("11111111-2222-4333-8444-555555555555")]
    [InlineData("no-uuid")]
    [InlineData("{11111111-2222-4333-8444-555555555555}")]
    [InlineData("' OR true --")]
    public async Task What_is_not_there_is_404_whatever_it_looks_like(string id)
    {
        foreach (var path in (string[])["", "/preview", "/history"])
        {
            using var response = await AgencyApi.GetAsync(api.Reader, $"/api/agencies/{id}{path}");
            await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
        }
    }

    private Task<JsonElement> ReadAsync(Guid agency) => AgencyApi.ReadAsync(api.Reader, $"/api/agencies/{agency}");

    private static string Sums(JsonElement total) => string.Join(", ", total.GetProperty("amounts").EnumerateArray()
        .Select(sum => $"{sum.GetProperty("amount").GetDecimal():0} {sum.GetProperty("currency").GetString()}".Trim()));

    private async Task<string> ETagAsync(Guid agency)
    {
        using var response = await AgencyApi.GetAsync(api.Reader, $"/api/agencies/{agency}");
        return response.Headers.ETag!.ToString();
    }
}
