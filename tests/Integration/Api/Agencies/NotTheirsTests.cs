using System.Net;
using Actors.Tests.Integration.Grains;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>A user with a token who is no admin: what is there is to them as what is not.</summary>
public sealed class NotTheirsTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task Whoever_is_no_admin_sees_an_empty_list_and_finds_nothing_at_any_address()
    {
        using var other = api.ClientOf(Guid.NewGuid());
        var (agency, installment, _) = await MarkedAsync("2026-03-02");

        var list = await AgencyApi.ReadAsync(other, "/api/agencies");
        using var file = await AgencyApi.GetAsync(other, "/api/agencies?format=csv");
        foreach (var path in (string[])
            [$"agencies/{agency}", $"agencies/{agency}/preview", $"agencies/{agency}/history"])
        {
            using var theirs = await AgencyApi.GetAsync(other, $"/api/{path}");
            using var nobodys = await AgencyApi.GetAsync(
                other, $"/api/{path.Replace($"{agency}", $"{Guid.Empty}", StringComparison.Ordinal)}");
            await SameAsync(theirs, nobodys, "agency-not-found", agency);
        }

        using var explained = await AgencyApi.GetAsync(other, $"/api/installments/{installment}/explain");
        using var unknown = await AgencyApi.GetAsync(other, $"/api/installments/{Guid.Empty}/explain");
        await SameAsync(explained, unknown, "installment-not-found", installment);
        Assert.Empty(list.GetProperty("items").EnumerateArray());
        Assert.Single((await file.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Whoever_is_no_admin_changes_nothing()
    {
        using var other = api.ClientOf(Guid.NewGuid());
        var (agency, installment, run) = await MarkedAsync("2026-03-05");
        foreach (var (method, path, json) in ((HttpMethod, string, string)[])
            [
                (HttpMethod.Post, "agencies", """{"name":"any","timezone":"UTC"}"""),
                (HttpMethod.Patch, $"agencies/{agency}", """{"name":"new"}"""),
                (HttpMethod.Post, $"agencies/{agency}/pause", """{"reason":"any"}"""),
                (HttpMethod.Post, $"agencies/{agency}/resume", """{"reason":"any","mode":"skip"}"""),
                (HttpMethod.Post, $"agency-runs/{run}/undo", """{"reason":"any"}"""),
            ])
        {
            using var response = await AgencyApi.SendAsync(other, method, $"/api/{path}", json, ("If-Match", "*"));
            Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        }

        Assert.Equal("overdue", await api.World.StatusOfAsync(installment));
        Assert.Equal("any", await api.World.ReadAsync<string>("SELECT name FROM agencies WHERE id = $1", agency));
    }

    [Fact]
    public async Task An_admin_by_user_roles_sees_and_changes_all_of_it_under_their_own_name()
    {
        var user = Guid.NewGuid();
        await api.World.ExecuteAsync("INSERT INTO user_roles (user_id, role) VALUES ($1, 'admin')", user);
        using var admin = api.ClientOf(user);
        var (agency, installment, run) = await MarkedAsync("2026-03-08");

        Assert.NotEmpty((await AgencyApi.ReadAsync(admin, "/api/agencies")).GetProperty("items").EnumerateArray());
        await AgencyApi.ReadAsync(admin, $"/api/agencies/{agency}");
        await AgencyApi.ReadAsync(admin, $"/api/agencies/{agency}/preview");
        await AgencyApi.ReadAsync(admin, $"/api/installments/{installment}/explain");
        using var undo = await AgencyApi.PostAsync(admin, $"/api/agency-runs/{run}/undo", """{"reason":"any"}""");
        using var patch = await AgencyApi.SendAsync(
            admin, HttpMethod.Patch, $"/api/agencies/{agency}", """{"name":"new"}""", ("If-Match", "*"));
        using var pause = await AgencyApi.PostAsync(
            admin, $"/api/agencies/{agency}/pause", """{"reason":"any"}""");
        using var create = await AgencyApi.PostAsync(
            admin, "/api/agencies", """{"name":"made by a user","timezone":"UTC"}""");

        foreach (var response in (HttpResponseMessage[])[undo, patch, pause, create])
            await AgencyApi.OkAsync(response);
        var history = await AgencyApi.AllPagesAsync(admin, $"/api/agencies/{agency}/history", 200);
        Assert.Equal(
            new[] { "paused", "runUndone", "settingsChanged" },
            history.Where(item => item.GetProperty("by").GetString() == user.ToString())
                .Select(item => item.GetProperty("kind").GetString()).Order());
    }

    private async Task<(Guid Agency, Guid Installment, Guid Run)> MarkedAsync(string day)
    {
        var agency = await api.World.AddServedAgencyAsync($"{day}T10:00:00Z");
        var installment = await api.World.AddInstallmentAsync(agency, day);
        api.World.Clock.Now = GrainWorld.At($"{day}T18:00:00Z");
        await api.World.BringUpToDateAsync(agency, Actors.Grains.Interfaces.RunTrigger.CatchUp);
        return (agency, installment, await api.World.ReadAsync<Guid>(
            "SELECT id FROM agency_runs WHERE agency_id = $1 AND records_updated = 1", agency));
    }

    /// <summary>Two answers that tell nothing apart but the id that was asked for.</summary>
    private static async Task SameAsync(
        HttpResponseMessage theirs, HttpResponseMessage nobodys, string code, Guid theirsId)
    {
        var one = await ApiAssert.ProblemAsync(theirs, 404, code);
        var another = await ApiAssert.ProblemAsync(nobodys, 404, code);
        Assert.Equal(
            another.GetProperty("detail").GetString(),
            one.GetProperty("detail").GetString()!.Replace(
                $"{theirsId}", $"{Guid.Empty}", StringComparison.Ordinal));
    }
}
