using System.Text.Json;
using Actors.Grains.Interfaces;
using Actors.Tests.Integration.Grains;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>`GET /api/agencies/{id}/preview`: reasons, totals and pages.</summary>
public sealed class AgencyPreviewTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task Each_installment_has_the_reason_why_a_run_would_mark_it_or_would_not()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-03-02T18:00:00Z");
        var overdue = await api.World.AddInstallmentAsync(agency, "2026-03-03");
        api.World.Clock.Now = GrainWorld.At("2026-03-03T18:00:00Z");
        await api.World.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        var expected = new Dictionary<Guid, string>
        {
            [overdue] = "alreadyOverdue false since 2026-03-03T17:00:00Z",
            [await api.World.AddInstallmentAsync(agency, "2026-03-02", "overdue")] = "alreadyOverdue false",
            [await api.World.AddInstallmentAsync(agency, "2026-03-03")] = "due true under 2026-03-03",
            [await api.World.AddInstallmentAsync(agency, "2026-03-01")] = "due true under 2026-03-03",
            [await api.World.AddInstallmentAsync(agency, "2026-03-04")] = "notDueUntil false until 2026-03-04",
            [await api.World.AddInstallmentAsync(agency, "9999-12-31")] = "notDueUntil false until 9998-12-31",
            [await api.World.AddInstallmentAsync(agency, "2026-03-01", plan: "draft")] = "planNotActive false",
            [await api.World.AddInstallmentAsync(agency, null)] = "noDueDate false",
            [await api.World.AddInstallmentAsync(agency, "2026-03-01", "paid")] = "paid false",
            [await api.World.AddInstallmentAsync(agency, "2026-03-01", "cancelled")] = "otherStatus false",
        };
        await api.World.AddInstallmentAsync(await api.World.AddAgencyAsync(), "2026-03-01");
        api.World.Clock.Now = GrainWorld.At("2026-03-03T19:00:00Z");

        var preview = await ReadAsync(agency, "");

        Assert.Equal(expected, Items(preview).ToDictionary(Id, item => string.Join(' ', (string?[])
        [
            item.GetProperty("reason").GetString(),
            item.GetProperty("wouldMark").GetRawText(),
            .. Given(item, "standsUnder", "under"),
            .. Given(item, "notDueUntil", "until"),
            .. item.GetProperty("overdueSince") is { ValueKind: JsonValueKind.Object } since
                ? ["since", since.GetProperty("instant").GetString()]
                : (string?[])[],
        ])));
        Assert.Equal(
            JsonValueKind.Null,
            Items(preview).Single(item => item.GetProperty("reason").GetString() == "noDueDate")
                .GetProperty("dueDate").ValueKind);
        Assert.Equal(
            """{"count":2,"amounts":[{"currency":null,"amount":20.00}]}""",
            preview.GetProperty("wouldMark").GetRawText());
        Assert.Equal(
            [
                "alreadyOverdue 2", "noDueDate 1", "notDueUntil 2", "otherStatus 1", "paid 1", "planNotActive 1",
            ],
            preview.GetProperty("wouldLeave").EnumerateArray()
                .Select(total => $"{total.GetProperty("reason")} {total.GetProperty("count")}"));
        var rule = preview.GetProperty("rule");
        Assert.Equal("2026-03-03", rule.GetProperty("marksThrough").GetString());
        Assert.Equal("2026-03-03", rule.GetProperty("firstDate").GetString());
        Assert.Equal("UTC", rule.GetProperty("timezone").GetString());
        Assert.Equal("17:00:00", rule.GetProperty("overdueCutoffTime").GetString());
        Assert.Equal("2026-03-03T19:00:00Z", rule.GetProperty("at").GetProperty("instant").GetString());
        Assert.NotEmpty(rule.GetProperty("tzdbVersion").GetString()!);
    }

    [Fact]
    public async Task A_preview_of_a_later_instant_knows_the_dates_that_close_until_then()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-04-02T18:00:00Z");
        var soon = await api.World.AddInstallmentAsync(agency, "2026-04-04");
        var later = await api.World.AddInstallmentAsync(agency, "2026-04-05");

        var before = await ReadAsync(agency, "?at=2026-04-04T16:59:59Z&reason=due");
        var at = await ReadAsync(agency, "?at=2026-04-04T19:00:00%2B02:00&reason=due");

        Assert.Empty(Items(before));
        Assert.Equal(soon, Id(Assert.Single(Items(at))));
        Assert.Equal("2026-04-03", at.GetProperty("rule").GetProperty("firstDate").GetString());
        Assert.Equal("pending", await api.World.StatusOfAsync(later));
    }

    [Fact]
    public async Task Pages_go_by_due_date_and_totals_are_of_all_pages()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-05-02T18:00:00Z");
        await api.World.ExecuteAsync(
            """
            WITH plan AS (
              INSERT INTO payment_plans (agency_id) SELECT $1 FROM generate_series(1, 3) RETURNING id
            )
            INSERT INTO installments (payment_plan_id, amount, student_due_date, status)
            SELECT id, n, CASE WHEN n % 7 > 0 THEN DATE '2026-04-30' + n % 5 END,
                   CASE WHEN n % 6 = 0 THEN 'paid' ELSE 'pending' END
            FROM plan, generate_series(1, 20) AS n
            """,
            agency);
        var expected = await api.World.ListAsync<Guid>(
            """
            SELECT i.id FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id WHERE p.agency_id = $1
            ORDER BY i.student_due_date NULLS LAST, i.id
            """, agency);
        var due = await api.World.ReadAsync<string>(
            """
            SELECT format('{"count":%s,"amounts":[{"currency":null,"amount":%s}]}', count(*), sum(i.amount))
            FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id
            WHERE p.agency_id = $1 AND i.status = 'pending' AND i.student_due_date <= '2026-05-02'
            """, agency);

        foreach (var limit in (int[])[1, 7, 60, 200])
        {
            var items = await AgencyApi.AllPagesAsync(api.Reader, $"/api/agencies/{agency}/preview", limit);
            Assert.Equal(expected, items.Select(Id));
            var page = await ReadAsync(agency, $"?limit={limit}");
            Assert.Equal(due, page.GetProperty("wouldMark").GetRawText());
        }

        var filtered = await AgencyApi.AllPagesAsync(api.Reader, $"/api/agencies/{agency}/preview?reason=due", 4);
        Assert.All(filtered, item => Assert.True(item.GetProperty("wouldMark").GetBoolean()));
        Assert.Equal(filtered.Count, JsonDocument.Parse(due).RootElement.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Of_a_paused_agency_and_of_one_in_no_zone_nothing_would_be_marked()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-06-02T18:00:00Z");
        await api.World.AddInstallmentAsync(agency, "2026-06-01");
        await api.World.ExecuteAsync("UPDATE agency_cutoffs SET paused_at = now() WHERE agency_id = $1", agency);
        var nowhere = await api.World.AddAgencyAsync("Mars/Olympus");
        await api.World.AddInstallmentAsync(nowhere, "2026-06-01");

        var paused = await ReadAsync(agency, "");
        var unknown = await ReadAsync(nowhere, "");

        Assert.Equal("agencyPaused", Assert.Single(Items(paused)).GetProperty("reason").GetString());
        Assert.True(paused.GetProperty("rule").GetProperty("isPaused").GetBoolean());
        Assert.Equal("zoneUnknown", Assert.Single(Items(unknown)).GetProperty("reason").GetString());
        Assert.NotEmpty(unknown.GetProperty("rule").GetProperty("problem").GetString()!);
        Assert.All(
            [paused, unknown],
            preview => Assert.Equal(0, preview.GetProperty("wouldMark").GetProperty("count").GetInt32()));
    }

    [Fact]
    public async Task What_was_undone_is_no_longer_overdue_since_then()
    {
        var agency = await api.World.AddServedAgencyAsync("2026-07-02T18:00:00Z");
        var installment = await api.World.AddInstallmentAsync(agency, "2026-07-03");
        api.World.Clock.Now = GrainWorld.At("2026-07-03T18:00:00Z");
        var marked = await api.World.BringUpToDateAsync(agency, RunTrigger.CatchUp);
        Assert.Equal(1, marked.RecordsUpdated);
        var run = await api.World.ReadAsync<Guid>(
            "SELECT id FROM agency_runs WHERE agency_id = $1 AND records_updated = 1", agency);
        using var undo = await AgencyApi.PostAsync(
            api.Admin, $"/api/agency-runs/{run}/undo", """{"reason":"any"}""");
        await AgencyApi.OkAsync(undo);
        Assert.Equal("due", Assert.Single(Items(await ReadAsync(agency, ""))).GetProperty("reason").GetString());
        // Another program says so, and no run.
        await api.World.ExecuteAsync("UPDATE installments SET status = 'overdue' WHERE id = $1", installment);

        var item = Assert.Single(Items(await ReadAsync(agency, "")));

        Assert.Equal("alreadyOverdue", item.GetProperty("reason").GetString());
        Assert.Equal(JsonValueKind.Null, item.GetProperty("overdueSince").ValueKind);
    }

    [Theory]
    [InlineData("at=yesterday", "at")]
    [InlineData("at=2026-03-02", "at")]
    [InlineData("at=9999-01-01T00:00:00Z", "at")]
    [InlineData("reason=because", "reason")]
    [InlineData("cursor=e30", "cursor")]
    [InlineData("limit=x", "limit")]
    [InlineData("when=now", "when")]
    public async Task What_it_does_not_take_is_refused_by_name(string query, string name)
    {
        using var response = await AgencyApi.GetAsync(
            api.Reader, $"/api/agencies/{await api.World.AddAgencyAsync()}/preview?{query}");

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-parameter");
        Assert.NotEmpty(problem.GetProperty("errors").GetProperty(name)[0].GetString()!);
    }

    [Theory]
    [InlineData("0001-01-01T00:00:00Z")]
    [InlineData("9998-12-31T23:59:59Z")]
    public async Task An_instant_at_the_ends_of_time_is_answered(string at)
    {
        var agency = await api.World.AddAgencyAsync("Pacific/Auckland");

        Assert.Equal(JsonValueKind.Object, (await ReadAsync(agency, $"?at={at}")).GetProperty("rule").ValueKind);
    }

    [Fact]
    public async Task Where_no_silo_answers_nothing_can_be_said()
    {
        using var response = await AgencyApi.GetAsync(
            await api.AloneAsync, $"/api/agencies/{await api.World.AddAgencyAsync()}/preview");

        await ApiAssert.ProblemAsync(response, 503, "silo-unavailable");
    }

    private Task<JsonElement> ReadAsync(Guid agency, string query) =>
        AgencyApi.ReadAsync(api.Reader, $"/api/agencies/{agency}/preview{query}");

    private static List<JsonElement> Items(JsonElement preview) => [.. preview.GetProperty("items").EnumerateArray()];

    private static Guid Id(JsonElement item) => item.GetProperty("installmentId").GetGuid();

    private static string?[] Given(JsonElement item, string name, string word) =>
        item.GetProperty(name) is { ValueKind: JsonValueKind.String } value ? [word, value.GetString()] : [];
}
