using Actors.Tests.Integration.Api.Agencies;
using Xunit;

namespace Actors.Tests.Integration.Api.Installments;

/// <summary>`GET /api/installments/due-soon`.</summary>
public sealed class DueSoonTests(SomeInstallments world) : IClassFixture<SomeInstallments>, IAsyncLifetime
{
    private const string Path = "/api/installments/due-soon";

    public ValueTask InitializeAsync() => new(world.ClearAsync());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData(1, "0 1")]
    [InlineData(4, "0 1 3 4")]
    [InlineData(30, "0 1 3 4 5 30")]
    public async Task Both_ends_count_by_the_agencys_own_today(int days, string expected)
    {
        // In both zones at once: a day that is today in one is tomorrow in the other.
        foreach (var zone in (string[])[world.East, world.West])
        {
            var plan = await world.AddPlanAsync(await world.AddAgencyAsync(zone, days));
            foreach (var dueIn in (int[])[-1, 0, 1, 3, 4, 5, 30, 31]) await world.AddAsync(plan, zone, dueIn);
        }

        var items = await AgencyApi.AllPagesAsync(world.Api.Reader, Path, 3);

        foreach (var zone in (string[])[world.East, world.West])
        {
            Assert.Equal(
                expected,
                string.Join(' ', items.Where(item => item.GetProperty("timezone").GetString() == zone)
                    .Select(item => -item.GetProperty("daysPastDue").GetInt32())));
        }

        Assert.All(items, item => Assert.True(item.GetProperty("isDueSoon").GetBoolean()));
        Assert.Equal(
            items.Select(item => item.GetProperty("dueDate").GetString()).Order(StringComparer.Ordinal),
            items.Select(item => item.GetProperty("dueDate").GetString()));
    }

    [Fact]
    public async Task What_is_due_for_marking_settled_or_of_a_plan_that_is_not_active_is_not_due_soon()
    {
        var agency = await world.AddAgencyAsync(world.East, servedThrough: 0);
        var plan = await world.AddPlanAsync(agency);
        await world.AddAsync(plan, world.East, 0);
        await world.AddAsync(plan, world.East, null);
        foreach (var status in (string[])["paid", "overdue", "draft", "cancelled"])
            await world.AddAsync(plan, world.East, 1, status);
        foreach (var status in (string[])["paused", "completed", "cancelled", "draft"])
            await world.AddAsync(await world.AddPlanAsync(agency, status), world.East, 1);
        var expected = await world.AddAsync(plan, world.East, 1);

        Assert.Equal([expected], await ListsApi.IdsAsync(world.Api.AdminUser, Path));
    }

    [Fact]
    public async Task What_is_due_today_is_not_due_soon_once_todays_cutoff_has_passed_though_nobody_has_served_it()
    {
        var agency = await world.AddAgencyAsync(world.East, servedThrough: -3);
        // Paused, so that no silo serves what has passed.
        await world.Api.ExecuteAsync(
            "UPDATE agency_cutoffs SET paused_at = now(), paused_reason = 'any' WHERE agency_id = $1", agency);
        var plan = await world.AddPlanAsync(agency);
        var today = await world.AddAsync(plan, world.East, 0);
        var tomorrow = await world.AddAsync(plan, world.East, 1);
        Assert.Equal([today, tomorrow], await ListsApi.IdsAsync(world.Api.Reader, Path));

        await world.Api.ExecuteAsync("UPDATE agencies SET overdue_cutoff_time = '00:00' WHERE id = $1", agency);

        Assert.Equal([tomorrow], await ListsApi.IdsAsync(world.Api.Reader, Path));
    }

    [Fact]
    public async Task An_agency_that_was_never_served_has_what_is_due_today()
    {
        var agency = await world.AddAgencyAsync(world.East);
        await world.Api.ExecuteAsync(
            "UPDATE agency_cutoffs SET last_cutoff_date = NULL, last_cutoff_at = NULL WHERE agency_id = $1", agency);
        var expected = await world.AddAsync(await world.AddPlanAsync(agency), world.East, 0);

        Assert.Equal([expected], await ListsApi.IdsAsync(world.Api.Reader, Path));
    }

    [Fact]
    public async Task The_filter_by_agency_leaves_its_own_and_a_zone_that_nobody_knows_has_none()
    {
        var one = await world.AddAgencyAsync(world.East);
        var expected = await world.AddAsync(await world.AddPlanAsync(one), world.East, 1);
        var other = await world.AddAgencyAsync(world.West);
        await world.AddAsync(await world.AddPlanAsync(other), world.West, 1);
        await world.Api.ExecuteAsync(
            "INSERT INTO supported_timezones (name) VALUES ('Mars/Olympus') ON CONFLICT DO NOTHING");
        var lost = await world.AddAgencyAsync(world.West);
        await world.AddAsync(await world.AddPlanAsync(lost), world.West, 1);
        await world.Api.ExecuteAsync("UPDATE agencies SET timezone = 'Mars/Olympus' WHERE id = $1", lost);

        Assert.Equal([expected], await ListsApi.IdsAsync(world.Api.Reader, $"{Path}?agency={one}"));
        Assert.Empty(await ListsApi.IdsAsync(world.Api.Reader, $"{Path}?agency={lost}"));
        Assert.Equal(2, (await ListsApi.IdsAsync(world.Api.Reader, Path)).Count);
        Assert.Empty(await ListsApi.IdsAsync(world.Api.OtherUser, Path));
    }

    [Fact]
    public async Task Pages_cover_every_row_once_also_where_all_are_due_on_one_day()
    {
        var plan = await world.AddPlanAsync(await world.AddAgencyAsync(world.East));
        var expected = new List<Guid>();
        for (var n = 0; n < 12; n++) expected.Add(await world.AddAsync(plan, world.East, 2));

        Assert.Equal(expected.Order(), (await ListsApi.IdsAsync(world.Api.Reader, Path, 5)).Order());
    }

    [Theory]
    [InlineData("agency=x", "agency")]
    [InlineData("bucket=1-30", "bucket")]
    [InlineData("limit=0", "limit")]
    [InlineData("cursor=W10", "cursor")]
    [InlineData("format=pdf", "format")]
    public async Task What_is_not_as_it_should_be_is_refused_by_name(string query, string parameter) =>
        Assert.NotEmpty(await ListsApi.RefusedAsync(world.Api.Reader, $"{Path}?{query}", parameter));

    [Fact]
    public async Task The_file_has_days_ahead_as_numbers_and_names_as_text()
    {
        var plan = await world.AddPlanAsync(await world.AddAgencyAsync(world.East, name: "+1"));
        var id = await world.AddAsync(plan, world.East, 2, amount: 12.5m);

        var lines = (await ListsApi.CsvAsync(world.Api.Reader, Path)).Split("\r\n");

        Assert.Equal(
            "id,paymentPlanId,planStatus,agencyId,agencyName,timezone,amount,currency,dueDate,status,isDueSoon,"
            + "daysPastDue,bucket",
            lines[0]);
        Assert.StartsWith($"{id},{plan},active,", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(
            $",\"'+1\",{world.East},12.50,,{world.TodayInEast.PlusDays(2):uuuu-MM-dd},pending,true,-2,", lines[1],
            StringComparison.Ordinal);
    }
}
