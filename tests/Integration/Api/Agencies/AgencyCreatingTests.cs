using System.Net;
using System.Text.Json;
using Actors.Tests.Integration.Grains;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>`POST /api/agencies`.</summary>
public sealed class AgencyCreatingTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Fact]
    public async Task A_name_and_a_zone_make_an_agency_with_the_usual_settings()
    {
        api.World.Clock.Now = GrainWorld.At("2026-03-02T12:00:00Z");
        using var response = await CreateAsync("""{"name":"Ünïted","timezone":"Asia/Tokyo"}""");

        var made = await AgencyApi.OkAsync(response);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var id = made.GetProperty("id").GetGuid();
        Assert.Equal($"/api/agencies/{id}", response.Headers.Location?.ToString());
        Assert.Equal("17:00:00", made.GetProperty("overdueCutoffTime").GetString());
        Assert.Equal(4, made.GetProperty("dueSoonThresholdDays").GetInt32());
        // 21:00 in Tokyo: what is due today becomes overdue at once, and the next cutoff is tomorrow's.
        Assert.Equal("2026-03-03", made.GetProperty("nextCutoff").GetProperty("date").GetString());
        Assert.Equal(
            """{"date":"2026-03-02","hasPassed":true,"hasPassedThereby":true}""",
            made.GetProperty("today").GetRawText());

        using var shown = await AgencyApi.GetAsync(api.Reader, response.Headers.Location!.ToString());
        Assert.Equal("Ünïted", (await AgencyApi.OkAsync(shown)).GetProperty("name").GetString());
        Assert.Equal(shown.Headers.ETag, response.Headers.ETag);
        Assert.Equal(
            $"created by {AgencyApi.AdminName}",
            await api.World.ReadAsync<string>(
                "SELECT kind || ' by ' || changed_by FROM agency_changes WHERE agency_id = $1", id));
    }

    [Fact]
    public async Task Every_setting_can_be_given()
    {
        var id = Guid.NewGuid();
        using var response = await CreateAsync(
            $$"""
            {"id":"{{id}}","name":"any","timezone":"UTC","overdueCutoffTime":"23:59:59","dueSoonThresholdDays":30}
            """);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(
            "any UTC 23:59:59 30",
            await api.World.ReadAsync<string>(
                """
                SELECT concat_ws(' ', name, timezone, overdue_cutoff_time, due_soon_threshold_days) FROM agencies
                WHERE id = $1
                """, id));
    }

    [Fact]
    public async Task Sent_again_with_its_id_it_changes_nothing_and_answers_the_same()
    {
        var json = $$"""{"id":"{{Guid.NewGuid()}}","name":"any","timezone":"UTC","overdueCutoffTime":"09:30"}""";
        using var first = await CreateAsync(json);
        using var second = await CreateAsync(json);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        Assert.Equal(first.Headers.ETag, second.Headers.ETag);
        Assert.Empty((await AgencyApi.OkAsync(second)).GetProperty("changed").EnumerateArray());
        Assert.Equal(1, await api.World.ReadAsync<long>(
            "SELECT count(*) FROM agency_changes WHERE agency_id = $1",
            (await AgencyApi.OkAsync(first)).GetProperty("id").GetGuid()));
    }

    [Fact]
    public async Task An_id_that_is_taken_by_an_agency_with_other_settings_is_409()
    {
        var id = Guid.NewGuid();
        using var first = await CreateAsync($$"""{"id":"{{id}}","name":"one","timezone":"UTC"}""");
        using var second = await CreateAsync($$"""{"id":"{{id}}","name":"another","timezone":"UTC"}""");

        await ApiAssert.ProblemAsync(second, 409, "agency-exists");
        Assert.Equal("one", await api.World.ReadAsync<string>("SELECT name FROM agencies WHERE id = $1", id));
    }

    [Fact]
    public async Task Where_no_silo_answers_it_is_made_all_the_same()
    {
        using var response = await AgencyApi.PostAsync(
            await api.AloneAsync, "/api/agencies", """{"name":"any","timezone":"UTC"}""");

        var made = await AgencyApi.OkAsync(response);
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(JsonValueKind.Null, made.GetProperty("nextCutoff").ValueKind);
        Assert.NotEmpty(made.GetProperty("notice").GetString()!);
    }

    [Theory]
    [InlineData("""{}""", "name", "missing")]
    [InlineData("""{"name":"any"}""", "timezone", "missing")]
    [InlineData("""{"name":null,"timezone":"UTC"}""", "name", "missing")]
    [InlineData("""{"name":" ","timezone":"UTC"}""", "name", "blank")]
    [InlineData("""{"name":7,"timezone":"UTC"}""", "name", "a number")]
    [InlineData("""{"name":["a"],"timezone":"UTC"}""", "name", "a list")]
    [InlineData("""{"name":"a\u0000b","timezone":"UTC"}""", "name", "control character")]
    [InlineData("""{"name":"a\nb","timezone":"UTC"}""", "name", "control character")]
    [InlineData("""{"name":"any","timezone":"Australia/Brisbame"}""", "timezone", "did you mean Australia/Brisbane?")]
    [InlineData("""{"name":"any","timezone":"America/Honolulu"}""", "timezone", "no supported zone")]
    [InlineData("""{"name":"any","timezone":"Pacific/Honolulu"}""", "timezone", "supported_timezones")]
    [InlineData("""{"name":"any","timezone":"UTC+10"}""", "timezone", "no supported zone")]
    [InlineData("""{"name":"any","timezone":"utc"}""", "timezone", "did you mean UTC?")]
    [InlineData("""{"name":"any","timezone":"UTC\u0000"}""", "timezone", "no supported zone")]
    [InlineData("""{"name":"any","timezone":"UTC","overdueCutoffTime":"24:00"}""", "overdueCutoffTime", "HH:mm")]
    [InlineData("""{"name":"any","timezone":"UTC","overdueCutoffTime":"9:30"}""", "overdueCutoffTime", "HH:mm")]
    [InlineData("""{"name":"any","timezone":"UTC","overdueCutoffTime":"17:00:00.5"}""", "overdueCutoffTime", "HH:mm")]
    [InlineData("""{"name":"any","timezone":"UTC","overdueCutoffTime":17}""", "overdueCutoffTime", "a number")]
    [InlineData("""{"name":"any","timezone":"UTC","dueSoonThresholdDays":0}""", "dueSoonThresholdDays", "1 to 30")]
    [InlineData("""{"name":"any","timezone":"UTC","dueSoonThresholdDays":31}""", "dueSoonThresholdDays", "1 to 30")]
    [InlineData("""{"name":"any","timezone":"UTC","dueSoonThresholdDays":4.5}""", "dueSoonThresholdDays", "1 to 30")]
    [InlineData("""{"name":"any","timezone":"UTC","dueSoonThresholdDays":1e99}""", "dueSoonThresholdDays", "1e99")]
    [InlineData("""{"name":"any","timezone":"UTC","dueSoonThresholdDays":"4"}""", "dueSoonThresholdDays", "a text")]
    [InlineData("""{"name":"any","timezone":"UTC","id":"7"}""", "id", "a UUID")]
    [InlineData("""{"name":"any","timezone":"UTC","timeZone":"UTC"}""", "timeZone", "did you mean timezone?")]
    [InlineData("""{"name":"any","timezone":"UTC","isPaused":true}""", "isPaused", "no such property")]
    public async Task What_is_wrong_is_said_by_name_and_nothing_is_made(string json, string name, string advice)
    {
        var before = await api.World.ReadAsync<long>("SELECT count(*) FROM agencies");
        using var response = await CreateAsync(json);

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-body");
        Assert.Contains(
            advice, problem.GetProperty("errors").GetProperty(name)[0].GetString()!, StringComparison.Ordinal);
        Assert.Equal(before, await api.World.ReadAsync<long>("SELECT count(*) FROM agencies"));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("{")]
    [InlineData("{\"name\":\"a\",\"name\":\"b\",\"timezone\":\"UTC\"}")]
    [InlineData("{\"name\":\"\\ud800\",\"timezone\":\"UTC\"}")]
    [InlineData("{\"name\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}}")]
    [InlineData("{\"name\":\"any\",\"timezone\":\"UTC\",}")]
    public async Task What_is_no_JSON_object_is_malformed(string json)
    {
        using var response = await CreateAsync(json);

        await ApiAssert.ProblemAsync(response, 400, "malformed-body");
    }

    [Fact]
    public async Task Only_JSON_of_a_moderate_size_is_read()
    {
        using var form = await api.Admin.PostAsync(
            new Uri("/api/agencies", UriKind.Relative),
            new FormUrlEncodedContent([new("name", "any")]),
            TestContext.Current.CancellationToken);
        using var large = await CreateAsync($$"""{"name":"{{new string('a', 20_000)}}","timezone":"UTC"}""");
        using var longName = await CreateAsync($$"""{"name":"{{new string('a', 501)}}","timezone":"UTC"}""");

        await ApiAssert.ProblemAsync(form, 415, "not-json");
        await ApiAssert.ProblemAsync(large, 413, "body-too-large");
        await ApiAssert.ProblemAsync(longName, 400, "invalid-body");
    }

    [Fact]
    public async Task A_key_that_may_only_read_makes_no_agency()
    {
        using var response = await AgencyApi.PostAsync(
            api.Reader, "/api/agencies", """{"name":"any","timezone":"UTC"}""");

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    private Task<HttpResponseMessage> CreateAsync(string json) => AgencyApi.PostAsync(api.Admin, "/api/agencies", json);
}

/// <summary>`agencies` is a table of the application's own, with columns and triggers that nobody here knows.</summary>
public sealed class ForeignAgenciesTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    [Theory]
    [InlineData(
        "ALTER TABLE agencies ADD COLUMN owner_id uuid NOT NULL", "ALTER TABLE agencies DROP COLUMN owner_id",
        422, "column-required", "owner_id")]
    [InlineData(
        "CREATE UNIQUE INDEX agencies_slug ON agencies (name) WHERE name = 'foreign'", "DROP INDEX agencies_slug",
        409, "not-unique", "Another row")]
    [InlineData(
        "ALTER TABLE agencies ADD CONSTRAINT no_foreigners CHECK (name <> 'foreign') NOT VALID",
        "ALTER TABLE agencies DROP CONSTRAINT no_foreigners", 422, "database-refused", "says no")]
    [InlineData(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN IF NEW.name = ''foreign'' THEN RAISE EXCEPTION ''hunter2''; END IF; RETURN NEW; END';
        CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON agencies FOR EACH ROW EXECUTE FUNCTION refuse()
        """,
        "DROP TRIGGER refuse ON agencies; DROP FUNCTION refuse()", 422, "database-refused", "says no")]
    public async Task What_the_table_refuses_is_said_without_the_databases_own_words(
        string before, string after, int status, string code, string says)
    {
        await api.World.ExecuteAsync("DELETE FROM agencies");
        await api.World.ExecuteAsync(code == "not-unique"
            ? "INSERT INTO agencies (name, timezone) VALUES ('foreign', 'UTC')"
            : "SELECT 1");
        await api.World.ExecuteAsync(before);
        try
        {
            using var response = await AgencyApi.PostAsync(
                api.Admin, "/api/agencies", """{"name":"foreign","timezone":"UTC"}""");

            var problem = await ApiAssert.ProblemAsync(response, status, code);
            Assert.Contains(says, problem.GetProperty("detail").GetString()!, StringComparison.Ordinal);
        }
        finally
        {
            await api.World.ExecuteAsync(after);
        }
    }
}
