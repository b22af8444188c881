using System.Text.Json;
using Actors.Api.Requests;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>`GET /api/agencies`: searches, filters, orders and pages, on a list that no other test changes.</summary>
public sealed class AgencyListTests(AgencyListTests.Listed listed) : IClassFixture<AgencyListTests.Listed>
{
    private const string WholeId = "abcd0000-0000-4000-8000-000000000001";

    [Theory]
    [InlineData("name", "lower(left(coalesce(name, ''), 100)), id")]
    [InlineData("-name", "lower(left(coalesce(name, ''), 100)) DESC, id DESC")]
    [InlineData("nextCutoff", "CASE WHEN paused_at IS NULL THEN next_cutoff_at END NULLS LAST, id")]
    [InlineData("-nextCutoff", "CASE WHEN paused_at IS NULL THEN next_cutoff_at END DESC NULLS FIRST, id DESC")]
    [InlineData("lastCutoff", "last_cutoff_at NULLS FIRST, id")]
    [InlineData("-lastCutoff", "last_cutoff_at DESC NULLS LAST, id DESC")]
    public async Task Pages_of_every_size_give_every_agency_once_and_in_order(string sort, string order)
    {
        var expected = await listed.Api.World.ListAsync<Guid>(
            $"SELECT id FROM agencies JOIN agency_cutoffs ON agency_id = id ORDER BY {order}");
        foreach (var limit in (int[])[1, 7, 200])
        {
            var items = await AgencyApi.AllPagesAsync(listed.Api.Reader, $"/api/agencies?sort={sort}", limit);
            Assert.Equal(expected, items.Select(Id));
        }
    }

    [Theory]
    [InlineData("brisbane COLLEGE", new[] { "Brisbane College" })]
    [InlineData("ÜNÏ", new[] { "Ünïted Tours" })]
    [InlineData("100%", new[] { "100% Study" })]
    [InlineData("a_b", new[] { "a_b" })]
    [InlineData("%", new[] { "100% Study" })]
    [InlineData("\\", new[] { "back\\slash" })]
    [InlineData("'; DROP TABLE agencies; --", new string[0])]
    [InlineData("nobody is called that", new string[0])]
    public async Task A_search_finds_a_part_of_the_name_in_either_case_and_takes_no_pattern(
        string search, string[] names) =>
        Assert.Equal(names, Names(await ListAsync($"search={Uri.EscapeDataString(search)}")));

    [Theory]
    [InlineData("abcd", 2)]
    [InlineData("ABCD0000-0000-4", 2)]
    [InlineData(WholeId, 1)]
    [InlineData("abc", 0)]
    [InlineData("abcd0000_", 0)]
    public async Task A_search_finds_an_id_or_four_characters_of_its_beginning(string search, int count) =>
        Assert.Equal(count, (await ListAsync($"search={search}")).Count);

    [Theory]
    [InlineData("paused", 2)]
    [InlineData("failed", 1)]
    [InlineData("late", 2)]
    [InlineData("onTime", Listed.OnTime)]
    public async Task Each_state_is_a_filter_and_is_shown(string state, int count)
    {
        var items = await ListAsync($"state={state}&sort=nextCutoff");

        Assert.Equal(count, items.Count);
        Assert.All(items, item => Assert.Equal(state, item.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task Filters_are_taken_together()
    {
        var items = await ListAsync("state=late&timezone=Asia/Tokyo&search=LATE&sort=-lastCutoff");

        Assert.Equal(["late in Tokyo"], Names(items));
    }

    [Fact]
    public async Task An_agency_is_shown_with_its_next_cutoff_on_its_own_wall()
    {
        var item = Assert.Single(await ListAsync("search=late%20in%20Tokyo"));

        Assert.Equal("09:30:00", item.GetProperty("overdueCutoffTime").GetString());
        Assert.Equal(7, item.GetProperty("dueSoonThresholdDays").GetInt32());
        var next = item.GetProperty("nextCutoff");
        Assert.Equal("2026-03-02T00:30:00Z", next.GetProperty("instant").GetString());
        Assert.Equal("2026-03-02T09:30:00", next.GetProperty("local").GetString());
        Assert.Equal("+09", next.GetProperty("offset").GetString());
        Assert.Equal("Asia/Tokyo", next.GetProperty("timezone").GetString());
        Assert.Equal("2026-03-01", item.GetProperty("lastCutoffDate").GetString());
    }

    [Fact]
    public async Task A_paused_agency_has_no_next_cutoff()
    {
        var items = await ListAsync("state=paused");

        Assert.All(items, item => Assert.Equal(JsonValueKind.Null, item.GetProperty("nextCutoff").ValueKind));
        Assert.All(items, item => Assert.EndsWith("Z", item.GetProperty("pausedAt").GetString()!));
    }

    [Theory]
    [InlineData("state=Late", "state")]
    [InlineData("state=late&state=paused", "state")]
    [InlineData("sort=size", "sort")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=9999999999999999999", "limit")]
    [InlineData("cursor=nonsense", "cursor")]
    [InlineData("cursor=%00", "cursor")]
    [InlineData("search=a%00b", "search")]
    [InlineData("search=a%0Ab", "search")]
    [InlineData("timezone=Australia/Brisbame", "timezone")]
    [InlineData("format=xml", "format")]
    [InlineData("offset=10", "offset")]
    public async Task What_the_list_does_not_take_is_refused_by_name(string query, string name)
    {
        using var response = await AgencyApi.GetAsync(listed.Api.Reader, $"/api/agencies?{query}");

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-parameter");
        Assert.NotEmpty(problem.GetProperty("errors").GetProperty(name)[0].GetString()!);
    }

    [Fact]
    public async Task A_zone_that_no_agency_can_have_is_answered_with_the_nearest_that_it_can()
    {
        using var response = await AgencyApi.GetAsync(
            listed.Api.Reader, "/api/agencies?timezone=Australia/Brisbame");

        var problem = await ApiAssert.ProblemAsync(response, 400, "invalid-parameter");
        Assert.Contains(
            "did you mean Australia/Brisbane?",
            problem.GetProperty("errors").GetProperty("timezone")[0].GetString()!,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cursor_fits_only_the_order_that_it_was_made_for()
    {
        var page = await AgencyApi.ReadAsync(listed.Api.Reader, "/api/agencies?limit=1");
        var cursors = (string[])
        [
            page.GetProperty("next").GetString()!,
            Cursor.Write("agencies nextCutoff", null, null),
            Cursor.Write("agencies nextCutoff", "2026-01-01", Guid.Empty),
            Cursor.Write("agencies nextCutoff", Guid.Empty),
        ];

        foreach (var cursor in cursors)
        {
            using var response = await AgencyApi.GetAsync(
                listed.Api.Reader, $"/api/agencies?sort=nextCutoff&cursor={cursor}");
            await ApiAssert.ProblemAsync(response, 400, "invalid-parameter");
        }
    }

    [Fact]
    public async Task A_file_holds_every_agency_of_the_filter_in_its_order()
    {
        using var response = await AgencyApi.GetAsync(
            listed.Api.Reader, "/api/agencies?format=csv&sort=-name&timezone=UTC");

        var lines = (await response.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var items = await ListAsync("sort=-name&timezone=UTC");
        Assert.Equal("text/csv", response.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("id,name,timezone,overdueCutoffTime,", lines[0], StringComparison.Ordinal);
        Assert.Equal(items.Select(item => Id(item).ToString()), lines[1..].Select(line => line.Split(',')[0]));
        Assert.Contains(lines, line => line.Contains(",\"'=HYPERLINK(\"\"http://x\"\")\",", StringComparison.Ordinal));
    }

    private Task<List<JsonElement>> ListAsync(string query) =>
        AgencyApi.AllPagesAsync(listed.Api.Reader, $"/api/agencies?{query}", 200);

    private static Guid Id(JsonElement item) => item.GetProperty("id").GetGuid();

    private static IEnumerable<string?> Names(IEnumerable<JsonElement> items) =>
        items.Select(item => item.GetProperty("name").GetString());

    /// <summary>An API with agencies in every state.</summary>
    public sealed class Listed : IAsyncLifetime
    {
        internal const int OnTime = 57;

        public AgencyApi Api { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Api.InitializeAsync();
            await Api.World.ExecuteAsync(
                $"""
                INSERT INTO agencies (id, name, timezone, overdue_cutoff_time, due_soon_threshold_days)
                SELECT coalesce(given.id::uuid, gen_random_uuid()), given.name, given.zone, '09:30', 7
                FROM (
                  VALUES ('{WholeId}', 'Brisbane College', 'Australia/Brisbane'),
                         ('abcd0000-0000-4000-8000-000000000002', 'Ünïted Tours', 'Europe/Paris'),
                         (NULL, '100% Study', 'UTC'), (NULL, 'a_b', 'UTC'), (NULL, 'back\slash', 'UTC'),
                         (NULL, '=HYPERLINK("http://x")', 'UTC'), (NULL, 'late in Tokyo', 'Asia/Tokyo'),
                         (NULL, 'late since it is not known', 'UTC'), (NULL, 'failed', 'UTC'),
                         (NULL, 'paused', 'UTC'), (NULL, 'paused and failed', 'UTC'), (NULL, 'new', 'UTC')
                ) AS given (id, name, zone);
                -- Many of one name and one cutoff: only the id tells them apart.
                INSERT INTO agencies (name, timezone) SELECT 'same', 'UTC' FROM generate_series(1, 25);
                INSERT INTO agencies (name, timezone)
                SELECT repeat(chr(65 + n % 26), 150) || n, 'UTC' FROM generate_series(1, 25) AS n;

                UPDATE agency_cutoffs
                SET last_cutoff_date = '2026-03-01', last_cutoff_at = '2026-03-01T00:30:00Z',
                    next_cutoff_date = '2026-03-02', next_cutoff_at = clock_timestamp() + interval '1 day';
                UPDATE agency_cutoffs SET next_cutoff_at = '2026-03-02T00:30:00Z' FROM agencies
                WHERE id = agency_id AND name = 'late in Tokyo';
                UPDATE agency_cutoffs
                SET next_cutoff_at = NULL, next_cutoff_date = NULL,
                    settings_changed_at = clock_timestamp() - interval '2 minutes'
                FROM agencies WHERE id = agency_id AND name = 'late since it is not known';
                UPDATE agency_cutoffs SET failed_attempts = 3, last_error = 'no such zone' FROM agencies
                WHERE id = agency_id AND name LIKE '%failed';
                UPDATE agency_cutoffs SET paused_at = clock_timestamp(), paused_reason = 'holidays' FROM agencies
                WHERE id = agency_id AND name LIKE 'paused%';
                UPDATE agency_cutoffs
                SET next_cutoff_at = NULL, next_cutoff_date = NULL, last_cutoff_date = NULL, last_cutoff_at = NULL,
                    settings_changed_at = clock_timestamp()
                FROM agencies WHERE id = agency_id AND name = 'new';
                """);
        }

        public ValueTask DisposeAsync() => Api.DisposeAsync();
    }
}
