using System.Text.Json;
using Actors.Tests.Integration.Api.Agencies;
using Xunit;

namespace Actors.Tests.Integration.Api.Installments;

/// <summary>`GET /api/agencies/{id}/installments`.</summary>
public sealed class AgencyInstallmentsTests(SomeInstallments world) : IClassFixture<SomeInstallments>, IAsyncLifetime
{
    public ValueTask InitializeAsync() => new(world.ClearAsync());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task All_of_an_agency_come_by_due_date_and_those_without_one_last_page_after_page()
    {
        var agency = await world.AddAgencyAsync(world.West);
        var (one, two) = (await world.AddPlanAsync(agency), await world.AddPlanAsync(agency, "draft"));
        var expected = new List<Guid>();
        foreach (var dueIn in (int?[])[-400, -1, 0, 3, 90]) expected.Add(await world.AddAsync(one, world.West, dueIn));
        var without = new List<Guid>();
        for (var n = 0; n < 4; n++) without.Add(await world.AddAsync(two, world.West, null, "draft"));
        var infinite = await world.AddAsync(one, world.West, 1);
        await world.Api.ExecuteAsync("UPDATE installments SET student_due_date = 'infinity' WHERE id = $1", infinite);
        var far = await world.AddAsync(one, world.West, 1);
        await world.Api.ExecuteAsync("UPDATE installments SET student_due_date = '20000-01-01' WHERE id = $1", far);
        await world.AddAsync(
            await world.AddPlanAsync(await world.AddAgencyAsync(world.East)), world.East, 1);

        foreach (var limit in (int[])[1, 2, 3, 6, 200])
        {
            var ids = await ListsApi.IdsAsync(world.Api.Reader, $"/api/agencies/{agency}/installments", limit);
            Assert.Equal(expected, ids[..5]);
            Assert.Equal(without.Append(infinite).Append(far).Order(), ids[5..].Order());
        }
    }

    [Theory]
    [InlineData("draft")]
    [InlineData("pending")]
    [InlineData("partial")]
    [InlineData("paid")]
    [InlineData("overdue")]
    [InlineData("cancelled")]
    public async Task The_filter_by_status_leaves_those_in_it(string status)
    {
        var agency = await world.AddAgencyAsync(world.East);
        var plan = await world.AddPlanAsync(agency);
        foreach (var any in (string[])["draft", "pending", "partial", "paid", "overdue", "cancelled"])
            await world.AddAsync(plan, world.East, 1, any);

        var item = Assert.Single((await AgencyApi.ReadAsync(
            world.Api.AdminUser, $"/api/agencies/{agency}/installments?status={status}")).GetProperty("items")
            .EnumerateArray());

        Assert.Equal(status, item.GetProperty("status").GetString());
        Assert.Equal(status == "pending", item.GetProperty("isDueSoon").GetBoolean());
        Assert.Equal(-1, item.GetProperty("daysPastDue").GetInt32());
    }

    [Fact]
    public async Task An_agency_that_is_not_there_or_not_ones_to_see_is_404_in_the_same_words()
    {
        var agency = await world.AddAgencyAsync(world.East);
        (HttpClient, string)[] hidden =
        [
            (world.Api.OtherUser, agency.ToString()), (world.Api.Reader, Guid.NewGuid().ToString()), (world.Api.Reader, "x"),
        ];
        foreach (var (http, id) in hidden)
        {
            using var response = await AgencyApi.GetAsync(http, $"/api/agencies/{id}/installments");
            var problem = await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
            Assert.Equal($"No agency has the id {id}.", problem.GetProperty("detail").GetString());
        }

        Assert.Empty(await ListsApi.IdsAsync(world.Api.Reader, $"/api/agencies/{agency}/installments"));
    }

    [Fact]
    public async Task A_null_in_a_column_of_the_application_is_null_in_the_answer()
    {
        var agency = await world.AddAgencyAsync(world.East);
        await world.Api.ExecuteAsync("ALTER TABLE installments ALTER COLUMN amount DROP NOT NULL");
        await world.AddAsync(await world.AddPlanAsync(agency), world.East, 1);
        await world.Api.ExecuteAsync("UPDATE installments SET amount = NULL");

        var item = (await AgencyApi.ReadAsync(world.Api.Reader, $"/api/agencies/{agency}/installments"))
            .GetProperty("items")[0];

        Assert.Equal(JsonValueKind.Null, item.GetProperty("amount").ValueKind);
    }

    [Theory]
    [InlineData("status=unpaid", "status")]
    [InlineData("sort=amount", "sort")]
    [InlineData("cursor=x", "cursor")]
    public async Task What_is_not_as_it_should_be_is_refused_by_name(string query, string parameter) =>
        Assert.NotEmpty(await ListsApi.RefusedAsync(
            world.Api.Reader, $"/api/agencies/{Guid.NewGuid()}/installments?{query}", parameter));

    [Fact]
    public async Task The_file_has_all_of_them()
    {
        var agency = await world.AddAgencyAsync(world.East, name: "=1+1");
        var plan = await world.AddPlanAsync(agency);
        for (var n = 0; n < 5; n++) await world.AddAsync(plan, world.East, n);

        var csv = await ListsApi.CsvAsync(world.Api.Reader, $"/api/agencies/{agency}/installments?limit=2");

        Assert.Equal(5, csv.Split("\"'=1+1\"").Length - 1);
    }
}
