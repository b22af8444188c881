using System.Text.Json;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>PostgreSQL's numbers reach further than those of anybody who reads them.</summary>
public sealed class AmountTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task An_amount_that_is_no_number_is_null_and_in_no_sum()
    {
        // The application's table may have a column without bounds; NaN is in every column of numbers.
        await api.World.ExecuteAsync("ALTER TABLE installments ALTER COLUMN amount TYPE numeric");
        var agency = await api.World.AddServedAgencyAsync("2026-01-05T20:00:00Z");
        string[] amounts = ["10", "NaN", "Infinity", "-Infinity", "1e40"];
        var ids = new List<Guid>();
        foreach (var amount in amounts)
        {
            ids.Add(await api.World.AddInstallmentAsync(agency, "2026-01-01", "overdue"));
            await api.World.ExecuteAsync($"UPDATE installments SET amount = '{amount}' WHERE id = $1", ids[^1]);
        }

        foreach (var path in (string[])
            [
                $"/api/agencies/{agency}/installments", "/api/installments/overdue",
                "/api/installments/overdue?sort=amount", "/api/installments/overdue?sort=-amount",
            ])
        {
            var items = await AgencyApi.AllPagesAsync(api.Admin, path, 2);
            Assert.Equal(ids.Order(), items.Select(item => item.GetProperty("id").GetGuid()).Order());
            Assert.All(items, item => AssertAmount(item.GetProperty("id").GetGuid(), item));
        }

        var preview = await AgencyApi.ReadAsync(api.Admin, $"/api/agencies/{agency}/preview");
        Assert.All(
            preview.GetProperty("items").EnumerateArray(),
            item => AssertAmount(item.GetProperty("installmentId").GetGuid(), item));
        foreach (var id in ids)
            AssertAmount(id, await AgencyApi.ReadAsync(api.Admin, $"/api/installments/{id}/explain"));

        var details = await AgencyApi.ReadAsync(api.Admin, $"/api/agencies/{agency}");
        var total = Assert.Single(details.GetProperty("installments").GetProperty("byStatus").EnumerateArray());
        Assert.Equal(5, total.GetProperty("count").GetInt32());
        var inOneCurrency = Assert.Single(total.GetProperty("amounts").EnumerateArray());
        Assert.Equal(10, inOneCurrency.GetProperty("amount").GetDecimal());
        foreach (var query in (string[])["", "?by=agency"])
        {
            var sum = Assert.Single(await AgencyApi.AllPagesAsync(api.Admin, $"/api/installments/totals{query}", 200));
            Assert.Equal((5, 10m), (sum.GetProperty("count").GetInt32(), sum.GetProperty("amount").GetDecimal()));
        }

        void AssertAmount(Guid id, JsonElement item)
        {
            var amount = item.GetProperty("amount");
            if (id == ids[0]) Assert.Equal(10, amount.GetDecimal());
            else Assert.Equal(JsonValueKind.Null, amount.ValueKind);
        }
    }
}
