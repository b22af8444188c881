using System.Text.Json;
using Actors.Tests.Integration.Api.Agencies;
using Xunit;

namespace Actors.Tests.Integration.Api.Installments;

/// <summary>`GET /api/installments/overdue`.</summary>
public sealed class OverdueTests(SomeInstallments world) : IClassFixture<SomeInstallments>, IAsyncLifetime
{
    private const string Path = "/api/installments/overdue";

    public ValueTask InitializeAsync() => new(world.ClearAsync());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("1-30", "-1 0 1 30")]
    [InlineData("31-60", "31 60")]
    [InlineData("61-90", "61 90")]
    [InlineData("over-90", "91 1000")]
    public async Task Buckets_meet_without_gap_or_overlap_by_each_agencys_own_today(string bucket, string expected)
    {
        foreach (var zone in (string[])[world.East, world.West])
        {
            var plan = await world.AddPlanAsync(await world.AddAgencyAsync(zone));
            foreach (var days in (int[])[-1, 0, 1, 30, 31, 60, 61, 90, 91, 1000])
                await world.AddAsync(plan, zone, -days, "overdue");
        }

        foreach (var sort in (string[])["dueDate", "-dueDate", "amount", "-amount"])
        {
            var items = await AgencyApi.AllPagesAsync(world.Api.Reader, $"{Path}?bucket={bucket}&sort={sort}", 3);
            Assert.All(items, item => Assert.Equal(bucket, item.GetProperty("bucket").GetString()));
            foreach (var zone in (string[])[world.East, world.West])
            {
                Assert.Equal(
                    expected,
                    string.Join(' ', items.Where(item => item.GetProperty("timezone").GetString() == zone)
                        .Select(item => item.GetProperty("daysPastDue").GetInt32()).Order()));
            }
        }
    }

    [Theory]
    [InlineData("", "old small, old big, young small, young big")]
    [InlineData("sort=dueDate", "old small, old big, young small, young big")]
    [InlineData("sort=-dueDate", "young big, young small, old big, old small")]
    [InlineData("sort=amount", "old small, young small, old big, young big")]
    [InlineData("sort=-amount", "young big, old big, young small, old small")]
    public async Task Orders_go_by_the_key_and_then_by_id_in_one_direction_page_after_page(string sort, string expected)
    {
        var plan = await world.AddPlanAsync(await world.AddAgencyAsync(world.East));
        var names = new Dictionary<Guid, string>();
        (string, int, decimal, string)[] four =
        [
            ("old small", 9, 1.1m, "1"), ("old big", 9, 1.2m, "3"), ("young small", 2, 1.1m, "2"),
            ("young big", 2, 1.2m, "4"),
        ];
        foreach (var (name, days, amount, id) in four)
        {
            var guid = Guid.Parse($"{id}0000000-0000-0000-0000-000000000000");
            names.Add(await world.AddAsync(plan, world.East, -days, "overdue", amount, guid), name);
        }

        foreach (var limit in (int[])[1, 3, 4, 200])
        {
            var ids = await ListsApi.IdsAsync(world.Api.Reader, $"{Path}?{sort}", limit);
            Assert.Equal(expected, string.Join(", ", ids.Select(id => names[id])));
        }
    }

    [Fact]
    public async Task Whatever_became_of_its_plan_it_is_listed_and_what_has_no_due_date_is_not()
    {
        var agency = await world.AddAgencyAsync(world.East, name: "Lernhaus");
        var cancelled = await world.AddPlanAsync(agency, "cancelled");
        var expected = await world.AddAsync(cancelled, world.East, -5, "overdue", 99.95m);
        await world.AddAsync(cancelled, world.East, null, "overdue");
        await world.AddAsync(cancelled, world.East, -5, "paid");
        var infinite = await world.AddAsync(cancelled, world.East, -5, "overdue");
        await world.Api.ExecuteAsync("UPDATE installments SET student_due_date = 'infinity' WHERE id = $1", infinite);

        var item = Assert.Single((await AgencyApi.ReadAsync(world.Api.AdminUser, Path)).GetProperty("items")
            .EnumerateArray());

        Assert.Equal(
            $$"""
            {"id":"{{expected}}","paymentPlanId":"{{cancelled}}","planStatus":"cancelled","agencyId":"{{agency}}",
            "agencyName":"Lernhaus","timezone":"{{world.East}}","amount":99.95,"currency":null,
            "dueDate":"{{world.TodayInEast.PlusDays(-5):uuuu-MM-dd}}","status":"overdue","isDueSoon":false,
            "daysPastDue":5,"bucket":"1-30"}
            """.ReplaceLineEndings(""),
            item.GetRawText().Replace("\\u002B", "+", StringComparison.Ordinal));
        Assert.Empty(await ListsApi.IdsAsync(world.Api.OtherUser, Path));
    }

    [Fact]
    public async Task An_agency_in_a_zone_that_nobody_knows_is_listed_without_days_and_is_in_no_bucket()
    {
        await world.Api.ExecuteAsync(
            "INSERT INTO supported_timezones (name) VALUES ('Mars/Olympus') ON CONFLICT DO NOTHING");
        var agency = await world.AddAgencyAsync(world.East);
        var id = await world.AddAsync(await world.AddPlanAsync(agency), world.East, -40, "overdue");
        await world.Api.ExecuteAsync("UPDATE agencies SET timezone = 'Mars/Olympus' WHERE id = $1", agency);

        var item = Assert.Single((await AgencyApi.ReadAsync(world.Api.Reader, Path)).GetProperty("items")
            .EnumerateArray());

        Assert.Equal(id, item.GetProperty("id").GetGuid());
        Assert.Equal(JsonValueKind.Null, item.GetProperty("daysPastDue").ValueKind);
        Assert.Equal(JsonValueKind.Null, item.GetProperty("bucket").ValueKind);
        Assert.Empty(await ListsApi.IdsAsync(world.Api.Reader, $"{Path}?bucket=31-60"));
    }

    [Fact]
    public async Task The_currency_is_told_where_the_applications_table_has_one()
    {
        var plan = await world.AddPlanAsync(await world.AddAgencyAsync(world.East));
        await world.AddAsync(plan, world.East, -1, "overdue");
        await world.Api.ExecuteAsync("ALTER TABLE installments ADD COLUMN currency char(3) DEFAULT 'AUD'");
        try
        {
            var item = Assert.Single((await AgencyApi.ReadAsync(world.Api.Reader, Path)).GetProperty("items")
                .EnumerateArray());
            Assert.Equal("AUD", item.GetProperty("currency").GetString());
        }
        finally
        {
            await world.Api.ExecuteAsync("ALTER TABLE installments DROP COLUMN currency");
        }

        Assert.Single(await ListsApi.IdsAsync(world.Api.Reader, Path));
    }

    [Fact]
    public async Task The_filter_by_agency_leaves_its_own()
    {
        var one = await world.AddAgencyAsync(world.East);
        var expected = await world.AddAsync(await world.AddPlanAsync(one), world.East, -1, "overdue");
        await world.AddAsync(
            await world.AddPlanAsync(await world.AddAgencyAsync(world.East)), world.East, -1, "overdue");

        Assert.Equal([expected], await ListsApi.IdsAsync(world.Api.Reader, $"{Path}?agency={one}"));
    }

    [Theory]
    [InlineData("bucket=90%2B", "bucket")]
    [InlineData("bucket=1", "bucket")]
    [InlineData("sort=name", "sort")]
    [InlineData("sort=+amount", "sort")]
    [InlineData("agency=x", "agency")]
    [InlineData("limit=201", "limit")]
    [InlineData("status=paid", "status")]
    public async Task What_is_not_as_it_should_be_is_refused_by_name(string query, string parameter) =>
        Assert.NotEmpty(await ListsApi.RefusedAsync(world.Api.Reader, $"{Path}?{query}", parameter));

    [Theory]
    [InlineData("amount", "overdue installments dueDate", "2031-01-01")]
    [InlineData("dueDate", "overdue installments amount", "1.5")]
    [InlineData("dueDate", "overdue installments dueDate", "1.5")]
    [InlineData("amount", "overdue installments amount", "lots")]
    [InlineData("amount", "overdue installments amount", "1e5")]
    [InlineData("amount", "overdue installments amount", null)]
    [InlineData("dueDate", "overdue installments dueDate", null)]
    public async Task A_cursor_of_another_order_or_made_by_hand_is_refused(string sort, string list, string? key)
    {
        var cursor = ListsApi.Cursor(list, key, Guid.NewGuid().ToString());

        Assert.NotEmpty(
            await ListsApi.RefusedAsync(world.Api.Reader, $"{Path}?sort={sort}&cursor={cursor}", "cursor"));
    }
}
