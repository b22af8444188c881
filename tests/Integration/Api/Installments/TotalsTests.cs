using System.Text.Json;
using Actors.Tests.Integration.Api.Agencies;
using Xunit;

namespace Actors.Tests.Integration.Api.Installments;

/// <summary>`GET /api/installments/totals`.</summary>
public sealed class TotalsTests(SomeInstallments world) : IClassFixture<SomeInstallments>, IAsyncLifetime
{
    private const string Path = "/api/installments/totals";

    private readonly Guid _east = Guid.Parse("10000000-0000-0000-0000-000000000000");
    private readonly Guid _west = Guid.Parse("20000000-0000-0000-0000-000000000000");

    public async ValueTask InitializeAsync()
    {
        await world.ClearAsync();
        foreach (var (zone, agency) in ((string, Guid)[])[(world.East, _east), (world.West, _west)])
        {
            await world.AddAgencyAsync(zone, name: zone == world.East ? "East" : "=West", id: agency);
            var plan = await world.AddPlanAsync(agency);
            foreach (var days in (int?[])[0, 30, 31, 60, 61, 90, 91, null])
                await world.AddAsync(plan, zone, -days, "overdue", 1.05m);
            foreach (var ahead in (int?[])[0, 4, 5, null]) await world.AddAsync(plan, zone, ahead, amount: 100);
            await world.AddAsync(await world.AddPlanAsync(agency, "paused"), zone, 1, amount: 1_000);
            await world.AddAsync(plan, zone, -5, "paid", 10_000);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task All_agencies_are_summed_up_together_by_status_and_group()
    {
        string[] expected =
        [
            "overdue 1-30 4 4.20", "overdue 31-60 4 4.20", "overdue 61-90 4 4.20", "overdue over-90 2 2.10",
            "overdue unknown 2 2.10", "pending dueSoon 4 400.00", "pending notDueSoon 6 2400.00",
        ];
        foreach (var limit in (int[])[1, 2, 200])
        {
            var totals = await AgencyApi.AllPagesAsync(world.Api.Reader, Path, limit);
            Assert.Equal(expected, totals.Select(Line).Order(StringComparer.Ordinal));
            Assert.All(totals, total => Assert.Equal(JsonValueKind.Null, total.GetProperty("agencyId").ValueKind));
        }
    }

    [Fact]
    public async Task Each_agency_is_summed_up_in_the_order_of_ids_page_after_page()
    {
        string[] expected =
        [
            "overdue 1-30 2 2.10", "overdue 31-60 2 2.10", "overdue 61-90 2 2.10", "overdue over-90 1 1.05",
            "overdue unknown 1 1.05", "pending dueSoon 2 200.00", "pending notDueSoon 3 1200.00",
        ];
        foreach (var limit in (int[])[1, 3, 7, 8, 200])
        {
            var totals = await AgencyApi.AllPagesAsync(world.Api.AdminUser, $"{Path}?by=agency", limit);
            Assert.Equal(
                Enumerable.Repeat(_east, 7).Concat(Enumerable.Repeat(_west, 7)),
                totals.Select(total => total.GetProperty("agencyId").GetGuid()));
            Assert.Equal(expected, totals[..7].Select(Line).Order(StringComparer.Ordinal));
            Assert.Equal(expected, totals[7..].Select(Line).Order(StringComparer.Ordinal));
        }

        var one = await AgencyApi.AllPagesAsync(world.Api.Reader, $"{Path}?agency={_west}", 3);
        Assert.Equal(expected, one.Select(Line).Order(StringComparer.Ordinal));
        Assert.All(one, total => Assert.Equal("=West", total.GetProperty("agencyName").GetString()));
    }

    [Fact]
    public async Task Currencies_are_not_added_up_where_the_applications_table_has_them()
    {
        await world.Api.ExecuteAsync("ALTER TABLE installments ADD COLUMN currency text");
        try
        {
            await world.Api.ExecuteAsync(
                "UPDATE installments SET currency = CASE WHEN student_due_date IS NULL THEN NULL "
                + "WHEN extract(day FROM student_due_date)::integer % 2 = 0 THEN 'EUR' ELSE 'AUD' END");
            foreach (var query in (string[])["", "by=agency"])
            {
                var totals = await AgencyApi.AllPagesAsync(world.Api.Reader, $"{Path}?{query}", 2);
                Assert.Equal(26, totals.Sum(total => total.GetProperty("count").GetInt64()));
                Assert.Equal(
                    [null, "AUD", "EUR"],
                    totals.Select(total => total.GetProperty("currency").GetString()).Distinct().Order());
                Assert.Equal(
                    totals.Count,
                    totals.Select(total => Line(total) + total.GetProperty("currency") + total.GetProperty("agencyId"))
                        .Distinct().Count());
            }
        }
        finally
        {
            await world.Api.ExecuteAsync("ALTER TABLE installments DROP COLUMN currency");
        }
    }

    [Fact]
    public async Task Whoever_is_no_admin_is_told_of_nothing()
    {
        Assert.Empty(await AgencyApi.AllPagesAsync(world.Api.OtherUser, Path, 200));
        Assert.Empty(await AgencyApi.AllPagesAsync(world.Api.OtherUser, $"{Path}?by=agency", 200));
    }

    [Theory]
    [InlineData("by=zone", "by")]
    [InlineData("agency=x", "agency")]
    [InlineData("limit=0", "limit")]
    [InlineData("bucket=1-30", "bucket")]
    public async Task What_is_not_as_it_should_be_is_refused_by_name(string query, string parameter) =>
        Assert.NotEmpty(await ListsApi.RefusedAsync(world.Api.Reader, $"{Path}?{query}", parameter));

    [Fact]
    public async Task A_cursor_of_the_other_totals_is_refused()
    {
        var next = (await AgencyApi.ReadAsync(world.Api.Reader, $"{Path}?limit=1")).GetProperty("next").GetString();

        Assert.NotEmpty(
            await ListsApi.RefusedAsync(world.Api.Reader, $"{Path}?by=agency&cursor={next}", "cursor"));
    }

    [Fact]
    public async Task The_file_has_a_line_for_each_total()
    {
        var lines = (await ListsApi.CsvAsync(world.Api.Reader, $"{Path}?by=agency")).Split("\r\n");

        Assert.Equal("agencyId,agencyName,status,group,currency,count,amount", lines[0]);
        Assert.Equal(16, lines.Length);
        Assert.Contains($"{_west},\"'=West\",pending,dueSoon,,2,200.00", lines);
    }

    private static string Line(JsonElement total) =>
        $"{total.GetProperty("status")} {total.GetProperty("group")} {total.GetProperty("count")} "
        + total.GetProperty("amount").GetRawText();
}
