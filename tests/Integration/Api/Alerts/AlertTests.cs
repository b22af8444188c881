using System.Text.Json;
using Actors.Tests.Integration.Api.Agencies;
using NodaTime;
using NodaTime.Text;
using Xunit;

namespace Actors.Tests.Integration.Api.Alerts;

/// <summary>`GET /api/alerts` and `GET /api/alerts/{id}`.</summary>
public sealed class AlertTests(ListsApi api) : IClassFixture<ListsApi>, IAsyncLifetime
{
    private static readonly Instant Start = Instant.FromUtc(2031, 3, 1, 0, 0);

    public ValueTask InitializeAsync() => new(api.ClearAsync());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task An_alert_about_an_agency_tells_its_wall_clock_and_details_in_camelCase()
    {
        var (agency, job) = (Guid.NewGuid(), Guid.NewGuid());
        await api.ExecuteAsync(
            $$"""
            INSERT INTO agencies (id, name, timezone) VALUES ('{{agency}}', 'Lernhaus', 'Asia/Tokyo');
            INSERT INTO alerts (id, kind, severity, dedup_key, agency_id, job_id, message, details, raised_at)
            VALUES ('11111111-1111-1111-1111-111111111111', 'agency_failed', 'critical', 'k', '{{agency}}', '{{job}}',
              'boom', '{"failed_attempts": 3, "failures": [{"agency_id": "x", "error": "snake_case stays in values"}]}',
              '2031-03-01T08:00:00.5Z');
            """);

        var one = await AgencyApi.ReadAsync(api.AdminUser, "/api/alerts/11111111-1111-1111-1111-111111111111");

        Assert.Equal(
            $$"""
            {"id":"11111111-1111-1111-1111-111111111111","kind":"agencyFailed","severity":"critical","state":"open",
            "message":"boom","agencyId":"{{agency}}","agencyName":"Lernhaus","jobId":"{{job}}",
            "details":{"failures":[{"error":"snake_case stays in values","agencyId":"x"}],"failedAttempts":3},
            """.ReplaceLineEndings(""),
            one.GetRawText()[..one.GetRawText().IndexOf("\"raisedAt\"", StringComparison.Ordinal)]);
        Assert.Equal("2031-03-01T08:00:00.5Z", one.GetProperty("raisedAt").GetProperty("instant").GetString());
        Assert.Equal("2031-03-01T17:00:00.5", one.GetProperty("raisedAt").GetProperty("local").GetString());
        Assert.Equal("Asia/Tokyo", one.GetProperty("raisedAt").GetProperty("timezone").GetString());
        Assert.Equal(JsonValueKind.Null, one.GetProperty("acknowledged").ValueKind);
        Assert.Equal(JsonValueKind.Null, one.GetProperty("resolvedAt").ValueKind);
        Assert.Equal(
            one.GetRawText(),
            (await AgencyApi.ReadAsync(api.Reader, "/api/alerts")).GetProperty("items")[0].GetRawText());
    }

    [Fact]
    public async Task An_alert_about_nobody_in_particular_is_told_in_UTC()
    {
        await AddAsync(Some(0) with { Agency = Guid.NewGuid() });

        var item = (await AgencyApi.ReadAsync(api.Reader, "/api/alerts")).GetProperty("items")[0];

        Assert.Equal("UTC", item.GetProperty("raisedAt").GetProperty("timezone").GetString());
        Assert.Equal(JsonValueKind.Null, item.GetProperty("agencyName").ValueKind);
    }

    [Fact]
    public async Task Every_combination_of_filters_leaves_the_rows_that_it_should_in_order()
    {
        var random = new Random(7);
        Guid[] agencies = [Guid.NewGuid(), Guid.NewGuid()];
        var alerts = Enumerable.Range(0, 150).Select(_ => Some(random.Next(6)) with
        {
            Kind = random.GetItems(["agency_failed", "cutoff_late", "run_failed", "run_stuck"], 1)[0],
            Severity = random.GetItems(["info", "warning", "critical"], 1)[0],
            State = random.GetItems(["open", "acknowledged", "resolved"], 1)[0],
            Agency = random.GetItems([null, agencies[0], (Guid?)agencies[1]], 1)[0],
        }).ToArray();
        await AddAsync(alerts);

        foreach (var state in (string?[])[null, "open", "acknowledged", "resolved"])
        foreach (var kind in (string?[])[null, "cutoffLate", "agencyFailed"])
        foreach (var severity in (string?[])[null, "critical"])
        foreach (var agency in (Guid?[])[null, agencies[0]])
        foreach (var window in (string?[])[null, "from=2031-03-01T01:00:00Z&to=2031-03-01T04:00:00Z"])
        {
            var path = "/api/alerts?" + string.Join('&', new[]
            {
                state is null ? null : $"state={state}", kind is null ? null : $"kind={kind}",
                severity is null ? null : $"severity={severity}", agency is null ? null : $"agency={agency}", window,
            }.Where(part => part is not null));
            var expected = alerts
                .Where(alert => state is null || alert.State == state)
                .Where(alert => kind is null || alert.Kind == (kind == "cutoffLate" ? "cutoff_late" : "agency_failed"))
                .Where(alert => severity is null || alert.Severity == severity)
                .Where(alert => agency is null || alert.Agency == agency)
                .Where(alert => window is null || alert.Hour is >= 1 and < 4)
                .OrderByDescending(alert => alert.Hour)
                .ThenByDescending(alert => alert.Id.ToString("N"), StringComparer.Ordinal)
                .Select(alert => alert.Id);

            Assert.Equal(expected, await ListsApi.IdsAsync(api.Reader, path, 20));
        }
    }

    [Fact]
    public async Task Pages_cover_every_row_once_while_alerts_are_raised()
    {
        var alerts = Enumerable.Range(0, 20).Select(_ => Some(0)).ToArray();
        await AddAsync(alerts);
        var seen = new List<Guid>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = await AgencyApi.ReadAsync(api.AdminUser, $"/api/alerts?limit=3&cursor={cursor}");
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetGuid()));
            cursor = page.GetProperty("next").GetString();
            await AddAsync(Some(1));
        }

        Assert.Equal(alerts.Select(alert => alert.Id).Order(), seen.Order());
    }

    [Fact]
    public async Task Whoever_is_no_admin_sees_none_and_is_told_the_same_as_of_what_is_not_there()
    {
        var alert = Some(0);
        await AddAsync(alert);

        Assert.Empty(await ListsApi.IdsAsync(api.OtherUser, "/api/alerts"));
        Assert.Single(await ListsApi.IdsAsync(api.AdminUser, "/api/alerts"));
        await NotFoundAsync(api.OtherUser, alert.Id.ToString());
        await NotFoundAsync(api.Admin, Guid.NewGuid().ToString());
        await NotFoundAsync(api.Admin, "7");

        static async Task NotFoundAsync(HttpClient http, string id)
        {
            using var response = await AgencyApi.GetAsync(http, $"/api/alerts/{id}");
            var problem = await ApiAssert.ProblemAsync(response, 404, "alert-not-found");
            Assert.Equal($"No alert has the id {id}.", problem.GetProperty("detail").GetString());
        }
    }

    [Theory]
    [InlineData("state=closed", "state")]
    [InlineData("kind=agency_failed", "kind")]
    [InlineData("severity=fatal", "severity")]
    [InlineData("agency=7", "agency")]
    [InlineData("from=now", "from")]
    [InlineData("to=2031-02-30T00:00:00Z", "to")]
    [InlineData("limit=-1", "limit")]
    [InlineData("cursor=e30", "cursor")]
    [InlineData("job=x", "job")]
    public async Task What_is_not_as_it_should_be_is_refused_by_name(string query, string parameter) =>
        Assert.NotEmpty(await ListsApi.RefusedAsync(api.Reader, $"/api/alerts?{query}", parameter));

    [Fact]
    public async Task The_file_has_what_people_wrote_as_text()
    {
        var agency = Guid.NewGuid();
        await api.ExecuteAsync(
            "INSERT INTO agencies (id, name, timezone) VALUES ($1, $2, 'Asia/Tokyo')", agency, "@SUM(A1:A9)");
        await api.ExecuteAsync(
            """
            INSERT INTO alerts (id, kind, severity, dedup_key, agency_id, message, raised_at, acknowledged_at,
              acknowledged_by, acknowledged_note)
            VALUES ('11111111-1111-1111-1111-111111111111', 'run_stuck', 'info', 'k', $1, '-1', '2031-03-01T08:00Z',
              '2031-03-01T09:00Z', '=me', E'+\nlater')
            """,
            agency);

        Assert.Equal(
            "id,kind,severity,state,message,agencyId,agencyName,jobId,raisedAt,raisedAtLocal,timezone,acknowledgedAt,"
            + "acknowledgedBy,acknowledgedNote,resolvedAt\r\n"
            + $"11111111-1111-1111-1111-111111111111,runStuck,info,acknowledged,\"'-1\",{agency},\"'@SUM(A1:A9)\",,"
            + "2031-03-01T08:00:00Z,2031-03-01T17:00:00,Asia/Tokyo,2031-03-01T09:00:00Z,\"'=me\",\"'+\nlater\",\r\n",
            await ListsApi.CsvAsync(api.Reader, "/api/alerts"));
    }

    private sealed record SomeAlert(Guid Id, string Kind, string Severity, string State, Guid? Agency, int Hour);

    private static SomeAlert Some(int hour) =>
        new(Guid.NewGuid(), "run_failed", "critical", "open", null, hour);

    private Task AddAsync(params SomeAlert[] alerts) => api.ExecuteAsync(
        """
        INSERT INTO alerts (id, kind, severity, dedup_key, agency_id, message, raised_at, acknowledged_at, resolved_at)
        SELECT id, kind, severity, id::text, nullif(agency, '00000000-0000-0000-0000-000000000000'::uuid), 'any',
               at::timestamptz,
               CASE WHEN state = 'acknowledged' THEN now() END, CASE WHEN state = 'resolved' THEN now() END
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::text[])
          AS a (id, kind, severity, state, agency, at)
        """,
        alerts.Select(alert => alert.Id).ToArray(),
        alerts.Select(alert => alert.Kind).ToArray(),
        alerts.Select(alert => alert.Severity).ToArray(),
        alerts.Select(alert => alert.State).ToArray(),
        alerts.Select(alert => alert.Agency ?? Guid.Empty).ToArray(),
        alerts.Select(alert => InstantPattern.General.Format(Start + Duration.FromHours(alert.Hour))).ToArray());
}
