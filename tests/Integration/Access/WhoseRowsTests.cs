using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Actors.Tests.Integration.Api;
using Xunit;

namespace Actors.Tests.Integration.Access;

/// <summary>What PostgreSQL shows to whom, seen through the API.</summary>
public sealed partial class WhoseRowsTests(AccessWorld world) : IClassFixture<AccessWorld>, IAsyncLifetime
{
    private const string Id = "cccccccc-0000-4000-8000-00000000000c";

    public async ValueTask InitializeAsync() => await ApiKeysTable.ExecuteAsync(
        world.Database,
        $"""
        INSERT INTO agencies (id, name) VALUES ('{Id}', 'Somebody''s') ON CONFLICT DO NOTHING;
        INSERT INTO payment_plans (id, agency_id) VALUES ('{Id}', '{Id}') ON CONFLICT DO NOTHING;
        INSERT INTO installments (id, payment_plan_id, student_due_date) VALUES ('{Id}', '{Id}', '2024-02-01')
        ON CONFLICT DO NOTHING;
        INSERT INTO jobs_log (id, job_name, started_at, completed_at, status)
        VALUES ('{Id}', 'any', now(), now(), 'success') ON CONFLICT DO NOTHING;
        INSERT INTO alerts (id, kind, severity, dedup_key, message, raised_at)
        VALUES ('{Id}', 'run_failed', 'warning', 'any', 'any', now()) ON CONFLICT DO NOTHING;
        """);

    [Theory]
    [InlineData("/api/jobs")]
    [InlineData("/api/agencies")]
    [InlineData("/api/alerts")]
    public async Task An_admin_by_user_roles_sees_all_and_everyone_else_nothing(string list)
    {
        var seen = await IdsAsync(list, ("Authorization", $"Bearer {world.Issuer.TokenOf(world.Admin)}"));
        var byReader = await IdsAsync(list, ("X-API-Key", world.Key("read").Reveal()));
        var seenLater = await IdsAsync(list, ("Authorization", $"Bearer {world.Issuer.TokenOf(world.Admin)}"));
        var byOther = await IdsAsync(list, ("Authorization", $"Bearer {world.Issuer.TokenOf(world.Other)}"));

        // A sweep may add a run between two of the reads.
        Assert.Contains(Id, seen);
        Assert.Subset(byReader.ToHashSet(), seen.ToHashSet());
        Assert.Subset(seenLater.ToHashSet(), byReader.ToHashSet());
        Assert.Empty(byOther);
    }

    [Theory]
    [InlineData("/api/jobs/ID")]
    [InlineData("/api/jobs/ID/agencies")]
    [InlineData("/api/agencies/ID")]
    [InlineData("/api/agencies/ID/history")]
    [InlineData("/api/agencies/ID/installments")]
    [InlineData("/api/agencies/ID/preview")]
    [InlineData("/api/installments/ID/explain")]
    [InlineData("/api/alerts/ID")]
    public async Task What_is_not_theirs_is_answered_like_what_is_not_there(string address)
    {
        var nowhere = Guid.NewGuid().ToString();
        var asOther = ("Authorization", $"Bearer {world.Issuer.TokenOf(world.Other)}");
        using var asAdmin = await GetAsync(
            address.Replace("ID", Id, StringComparison.Ordinal),
            ("Authorization", $"Bearer {world.Issuer.TokenOf(world.Admin)}"));
        using var notTheirs = await GetAsync(address.Replace("ID", Id, StringComparison.Ordinal), asOther);
        using var notThere = await GetAsync(address.Replace("ID", nowhere, StringComparison.Ordinal), asOther);

        Assert.Equal(HttpStatusCode.OK, asAdmin.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, notTheirs.StatusCode);
        Assert.Equal(await WordsAsync(notThere, nowhere), await WordsAsync(notTheirs, Id));
        Assert.Equal(
            notThere.Headers.Select(header => header.Key).Order(),
            notTheirs.Headers.Select(header => header.Key).Order());
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<List<string>> IdsAsync(string list, (string, string) header)
    {
        using var response = await GetAsync($"{list}?limit=200", header);
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        return [.. JsonDocument.Parse(body).RootElement.GetProperty("items").EnumerateArray()
            .Select(item => item.GetProperty("id").GetString()!)];
    }

    private Task<HttpResponseMessage> GetAsync(string address, (string, string) header) =>
        world.SendAsync(HttpMethod.Get, address, null, header);

    private static async Task<string> WordsAsync(HttpResponseMessage response, string id) => TraceId().Replace(
        (await response.Content.ReadAsStringAsync()).Replace(id, "ID", StringComparison.Ordinal), "");

    [GeneratedRegex("\"traceId\":\"[^\"]*\"")]
    private static partial Regex TraceId();
}
