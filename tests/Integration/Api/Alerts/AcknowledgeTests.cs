using System.Net;
using System.Text.Json;
using Actors.Tests.Integration.Api.Agencies;
using Actors.Tests.Integration.Grains;
using Xunit;

namespace Actors.Tests.Integration.Api.Alerts;

/// <summary>`POST /api/alerts/{id}/acknowledge`.</summary>
public sealed class AcknowledgeTests(ListsApi api) : IClassFixture<ListsApi>
{
    [Fact]
    public async Task Who_says_so_is_recorded_with_the_note()
    {
        var alert = await RaiseAsync();

        var answer = await AcknowledgeAsync(api.Admin, alert, """{"note": "  Bank calls back\nat 9  "}""");

        Assert.Equal("acknowledged", answer.GetProperty("state").GetString());
        var acknowledged = answer.GetProperty("acknowledged");
        Assert.Equal(ListsApi.AdminKeyName, acknowledged.GetProperty("by").GetString());
        Assert.Equal("Bank calls back\nat 9", acknowledged.GetProperty("note").GetString());
        Assert.NotEmpty(acknowledged.GetProperty("at").GetProperty("instant").GetString()!);
        Assert.Equal(
            answer.GetRawText(), (await AgencyApi.ReadAsync(api.Reader, $"/api/alerts/{alert}")).GetRawText());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("""{"note": null}""")]
    [InlineData("""{"note": "   "}""")]
    public async Task A_note_may_be_left_out(string? body)
    {
        var answer = await AcknowledgeAsync(api.AdminUser, await RaiseAsync(), body);

        Assert.Equal(JsonValueKind.Null, answer.GetProperty("acknowledged").GetProperty("note").ValueKind);
        Assert.Equal(ListsApi.AdminEmail, answer.GetProperty("acknowledged").GetProperty("by").GetString());
    }

    [Fact]
    public async Task The_first_who_says_so_stands_whoever_says_so_again()
    {
        var alert = await RaiseAsync();
        var first = await AcknowledgeAsync(api.Admin, alert, """{"note": "mine"}""");

        foreach (var again in (HttpClient[])[api.Admin, api.AdminUser])
        {
            var answer = await AcknowledgeAsync(again, alert, """{"note": "no, mine"}""");
            Assert.Equal(first.GetRawText(), answer.GetRawText());
        }
    }

    [Fact]
    public async Task Of_two_at_once_one_stands_and_both_are_told_so()
    {
        var alert = await RaiseAsync();
        await using var hold = await HeldLock.ByAsync(
            api.Database, $"SELECT FROM alerts WHERE id = '{alert}' FOR UPDATE");

        var both = Enumerable.Range(0, 2).Select(n => AcknowledgeAsync(api.Admin, alert, $$"""{"note": "{{n}}"}"""))
            .ToArray();
        await Actors.Tests.Support.Eventually.HoldsAsync(
            "both wait for the row",
            async () => await api.AskAsync<long>(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN "
                + "(SELECT pid FROM pg_stat_activity WHERE datname = current_database())") == 2);
        await hold.ReleaseAsync();

        var answers = await Task.WhenAll(both);
        Assert.Equal(answers[0].GetRawText(), answers[1].GetRawText());
    }

    [Fact]
    public async Task A_problem_that_is_gone_can_be_acknowledged_for_the_record_and_stays_resolved()
    {
        var alert = await RaiseAsync();
        await api.ExecuteAsync("UPDATE alerts SET resolved_at = now() WHERE id = $1", alert);

        var answer = await AcknowledgeAsync(api.Admin, alert, """{"note": "It was the bank"}""");

        Assert.Equal("resolved", answer.GetProperty("state").GetString());
        Assert.Equal("It was the bank", answer.GetProperty("acknowledged").GetProperty("note").GetString());
    }

    [Fact]
    public async Task A_problem_that_lasts_stays_acknowledged_and_one_that_comes_back_is_a_new_alert()
    {
        var key = Guid.NewGuid().ToString();
        var alert = await RaiseAsync(key);
        await AcknowledgeAsync(api.Admin, alert, null);

        Assert.Equal(alert, await RaiseAsync(key, "worse"));
        var lasting = await AgencyApi.ReadAsync(api.Reader, $"/api/alerts/{alert}");
        Assert.Equal("acknowledged", lasting.GetProperty("state").GetString());
        Assert.Equal("worse", lasting.GetProperty("message").GetString());

        await api.ExecuteAsync("UPDATE alerts SET resolved_at = now() WHERE id = $1", alert);
        var again = await RaiseAsync(key);
        Assert.NotEqual(alert, again);
        Assert.Equal(
            "open", (await AgencyApi.ReadAsync(api.Reader, $"/api/alerts/{again}")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Only_admins_may()
    {
        var alert = await RaiseAsync();
        foreach (var other in (HttpClient[])[api.Reader, api.Trigger, api.OtherUser])
        {
            using var refused = await AgencyApi.PostAsync(other, $"/api/alerts/{alert}/acknowledge", null);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }

        Assert.Equal(
            "open", (await AgencyApi.ReadAsync(api.Reader, $"/api/alerts/{alert}")).GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("7")]
    [InlineData("11111111-1111-1111-1111-111111111111")]
    public async Task An_alert_that_is_not_there_is_404(string id)
    {
        using var response = await AgencyApi.PostAsync(api.Admin, $"/api/alerts/{id}/acknowledge", "{}");

        await ApiAssert.ProblemAsync(response, 404, "alert-not-found");
    }

    [Theory]
    [InlineData("""{"note": 7}""", "note")]
    [InlineData("""{"note": ["a"]}""", "note")]
    [InlineData("""{"note": "a\u0000b"}""", "note")]
    [InlineData("""{"note": "a\u0007b"}""", "note")]
    [InlineData("""{"reason": "a"}""", "reason")]
    [InlineData("""{"note": "a", "by": "somebody else"}""", "by")]
    public async Task A_body_that_is_not_as_it_should_be_is_refused_by_name_and_changes_nothing(
        string body, string name)
    {
        var alert = await RaiseAsync();

        using var response = await AgencyApi.PostAsync(api.Admin, $"/api/alerts/{alert}/acknowledge", body);

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-body");
        Assert.NotEmpty(problem.GetProperty("errors").GetProperty(name)[0].GetString()!);
        Assert.Equal(
            "open", (await AgencyApi.ReadAsync(api.Reader, $"/api/alerts/{alert}")).GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("[]", 400, "malformed-body")]
    [InlineData("{", 400, "malformed-body")]
    [InlineData("""{"note": "a", "note": "b"}""", 400, "malformed-body")]
    [InlineData("""{"note": "\ud800"}""", 400, "malformed-body")]
    public async Task A_body_that_is_no_object_is_refused(string body, int status, string code)
    {
        using var response = await AgencyApi.PostAsync(
            api.Admin, $"/api/alerts/{await RaiseAsync()}/acknowledge", body);

        await ApiAssert.ProblemAsync(response, status, code);
    }

    [Theory]
    [InlineData(1_000, 200)]
    [InlineData(1_001, 400)]
    public async Task A_note_has_at_most_a_thousand_characters(int characters, int status)
    {
        var note = string.Concat(Enumerable.Repeat("𝄞", characters));

        using var response = await AgencyApi.PostAsync(
            api.Admin, $"/api/alerts/{await RaiseAsync()}/acknowledge", $$"""{"note": "{{note}}"}""");

        Assert.Equal(status, (int)response.StatusCode);
    }

    private static async Task<JsonElement> AcknowledgeAsync(HttpClient http, Guid alert, string? body)
    {
        using var response = body is ""
            ? await http.PostAsync(
                new Uri($"/api/alerts/{alert}/acknowledge", UriKind.Relative), new ByteArrayContent([]),
                TestContext.Current.CancellationToken)
            : await AgencyApi.PostAsync(http, $"/api/alerts/{alert}/acknowledge", body);
        return await AgencyApi.OkAsync(response);
    }

    /// <summary>Raises an alert as silos do, and answers the open one of its problem.</summary>
    private async Task<Guid> RaiseAsync(string? key = null, string message = "boom")
    {
        key ??= Guid.NewGuid().ToString();
        await api.ExecuteAsync(
            "SELECT raise_alert('run_failed', 'critical', $1, NULL, NULL, $2, '{}', now())", key, message);
        return await api.AskAsync<Guid>($"SELECT id FROM alerts WHERE dedup_key = '{key}' AND resolved_at IS NULL");
    }
}
