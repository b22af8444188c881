using System.Text.RegularExpressions;
using Actors.Api;
using Actors.Api.Access;
using Actors.Api.Agencies;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>How PostgreSQL finds a page among 100,001 agencies, and the file that would be too long.</summary>
public sealed partial class AgencyListPlanTests(AgencyListPlanTests.Many many) : IClassFixture<AgencyListPlanTests.Many>
{
    private static readonly Guid Middle = Guid.Parse("80000000-0000-0000-0000-000000000000");

    [Theory]
    [InlineData("name", "agencies_name_order_idx")]
    [InlineData("-name", "agencies_name_order_idx")]
    [InlineData("nextCutoff", "agency_cutoffs_next_order_idx")]
    [InlineData("-nextCutoff", "agency_cutoffs_next_order_idx")]
    [InlineData("lastCutoff", "agency_cutoffs_last_order_idx")]
    [InlineData("-lastCutoff", "agency_cutoffs_last_order_idx")]
    public async Task A_page_in_any_order_is_one_walk_along_its_index_from_the_row_before(string sort, string index)
    {
        var plan = await ExplainAsync(CallerRole.Reader, new(null, null, null, AgencyOrder.Named(sort)), After(sort));

        Assert.Contains(index, plan, StringComparison.Ordinal);
        Assert.Contains("Index Cond: (ROW(", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Removed by Filter", plan, StringComparison.Ordinal);
        Assert.True(MostRowsOfANode(plan) <= 51, plan);
    }

    [Theory]
    [InlineData("nextCutoff", "agency_cutoffs_next_order_idx")]
    [InlineData("-lastCutoff", "agency_cutoffs_last_order_idx")]
    public async Task Row_level_security_does_not_hide_the_index_from_a_user_with_a_token(string sort, string index)
    {
        var plan = await ExplainAsync(CallerRole.User, new(null, null, null, AgencyOrder.Named(sort)), After(sort));

        Assert.Contains(index, plan, StringComparison.Ordinal);
        Assert.Contains("Index Cond: (ROW(", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Removed by Filter", plan, StringComparison.Ordinal);
    }

    [Fact]
    public async Task By_name_a_user_with_a_token_walks_the_index_from_its_beginning_but_nothing_is_sorted()
    {
        var plan = await ExplainAsync(CallerRole.User, new(null, null, null, AgencyOrder.Named("name")), After("name"));

        // lower() could tell of rows that the policy hides, so PostgreSQL asks the policy first.
        Assert.Contains("agencies_name_order_idx", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("paused", "agency_cutoffs_paused_idx")]
    [InlineData("failed", "agency_cutoffs_failed_idx")]
    [InlineData("late", "agency_cutoffs_next_cutoff_at_idx")]
    public async Task The_few_in_a_rare_state_are_found_by_an_index(string state, string index)
    {
        var plan = await ExplainAsync(
            CallerRole.Reader, new(null, null, AgencyState.Named(state), AgencyOrder.Named("name")), null);

        Assert.Contains(index, plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal);
        Assert.True(MostRowsOfANode(plan) <= 100, plan);
    }

    [Fact]
    public async Task The_agencies_of_a_zone_are_found_by_an_index_in_the_order_of_names()
    {
        var plan = await ExplainAsync(
            CallerRole.Reader, new(null, "Asia/Tokyo", null, AgencyOrder.Named("name")), null);

        Assert.Contains("agencies_timezone_order_idx", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
        Assert.True(MostRowsOfANode(plan) <= 51, plan);
    }

    [Fact]
    public async Task A_whole_id_is_found_by_the_primary_key()
    {
        var plan = await ExplainAsync(
            CallerRole.Reader, new($"{Middle}", null, null, AgencyOrder.Named("name")), null);

        Assert.Contains("agencies_pkey", plan, StringComparison.Ordinal);
        Assert.True(MostRowsOfANode(plan) <= 1, plan);
    }

    [Theory]
    [InlineData("NCY 54321", "agencies_name_parts_idx")]
    [InlineData("54321", "agencies_name_parts_idx", "agencies_pkey")]
    public async Task A_part_of_a_name_and_the_beginning_of_an_id_are_found_by_indexes(
        string search, params string[] indexes)
    {
        var plan = await ExplainAsync(CallerRole.Reader, new(search, null, null, AgencyOrder.Named("name")), null);

        Assert.All(indexes, index => Assert.Contains(index, plan, StringComparison.Ordinal));
        Assert.DoesNotContain("Seq Scan", plan, StringComparison.Ordinal);
        Assert.True(MostRowsOfANode(plan) <= 100, plan);
    }

    [Fact]
    public async Task A_user_with_a_token_finds_the_same_without_that_index()
    {
        var query = new AgencyListQuery("NCY 54321", null, null, AgencyOrder.Named("name"));
        var plan = await ExplainAsync(CallerRole.User, query, null);

        // What compares arrays could tell of rows that the policy hides.
        Assert.DoesNotContain("agencies_name_parts_idx", plan, StringComparison.Ordinal);
        Assert.Contains("actual rows=1 ", plan.Split('\n')[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AGENCY%20100000", 1)]
    [InlineData("cy%209999", 11)]
    public async Task A_search_finds_all_that_have_it_in_their_names(string search, int count)
    {
        var items = await AgencyApi.AllPagesAsync(many.Api.Reader, $"/api/agencies?search={search}", limit: 50);

        Assert.Equal(count, items.Count);
    }

    [Fact]
    public async Task More_rows_than_a_file_may_have_are_refused_before_it_begins()
    {
        using var response = await AgencyApi.GetAsync(many.Api.Reader, "/api/agencies?format=csv");

        var problem = await ApiAssert.ProblemAsync(response, 422, "too-many-rows");
        Assert.Equal(100_000, problem.GetProperty("mostRows").GetInt32());
    }

    [Fact]
    public async Task A_file_is_read_page_after_page_and_has_every_row_once()
    {
        using var response = await AgencyApi.GetAsync(
            many.Api.Reader, "/api/agencies?format=csv&timezone=Asia/Tokyo&sort=nextCutoff");

        var lines = (await response.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        var expected = await many.Api.World.ListAsync<Guid>(
            """
            SELECT id FROM agencies JOIN agency_cutoffs ON agency_id = id WHERE timezone = 'Asia/Tokyo'
            ORDER BY CASE WHEN paused_at IS NULL THEN next_cutoff_at END NULLS LAST, id
            """);
        Assert.True(expected.Count > 4_000);
        Assert.Equal(expected.Select(id => id.ToString()), lines[1..].Select(line => line.Split(',')[0]));
    }

    private static object?[] After(string sort) => sort.Contains("name", StringComparison.Ordinal)
        ? ["agency 50000", Middle]
        : [Instant.FromUtc(2026, 3, 2, 12, 0), Middle];

    private async Task<string> ExplainAsync(CallerRole role, AgencyListQuery query, object?[]? after)
    {
        var caller = new Caller(
            "any", "any", role, """{"sub":"11111111-1111-1111-1111-111111111111","role":"authenticated"}""");
        await using var session = await new CallerDatabase(new ApiDatabase(many.Api.World.Owner)).BeginAsync(
            caller, CallerAccess.Read, TestContext.Current.CancellationToken);
        var sql = AgencyListSql.Of(query, after);
        return string.Join('\n', await session.ReadAsync(
            $"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {sql.Text}", reader => reader.GetString(0),
            TestContext.Current.CancellationToken, sql.Parameters(51)));
    }

    private static int MostRowsOfANode(string plan) => RowsOfANode.Matches(plan)
        .Max(node => int.Parse(node.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));

    [GeneratedRegex(@"actual rows=(\d+)")]
    private static partial Regex RowsOfANode { get; }

    /// <summary>100,001 agencies, few of them paused, failed or late.</summary>
    public sealed class Many : IAsyncLifetime
    {
        public AgencyApi Api { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Api.InitializeAsync();
            // Watermarks are made in one go, which the triggers would do one by one.
            await Api.World.ExecuteAsync(
                """
                ALTER TABLE agencies DISABLE TRIGGER USER;
                INSERT INTO agencies (name, timezone)
                SELECT 'Agency ' || n, CASE WHEN n % 20 = 0 THEN 'Asia/Tokyo' ELSE 'UTC' END
                FROM generate_series(0, 100000) AS n;
                ALTER TABLE agencies ENABLE TRIGGER USER;
                ALTER TABLE agency_cutoffs DISABLE TRIGGER USER;
                INSERT INTO agency_cutoffs (
                  agency_id, last_cutoff_date, last_cutoff_at, next_cutoff_date, next_cutoff_at, tzdb_version)
                SELECT id, '2026-03-01', '2026-03-01 12:00Z'::timestamptz + n * interval '1 second', '2026-03-02',
                       clock_timestamp() + interval '1 day' + n * interval '1 second', '2026f'
                FROM (SELECT id, row_number() OVER () % 3600 AS n FROM agencies) AS a;
                UPDATE agency_cutoffs SET paused_at = now()
                WHERE agency_id IN (SELECT id FROM agencies WHERE name LIKE 'Agency 1234_');
                UPDATE agency_cutoffs SET failed_attempts = 1
                WHERE agency_id IN (SELECT id FROM agencies WHERE name LIKE 'Agency 2345_');
                UPDATE agency_cutoffs SET next_cutoff_at = now() - interval '1 minute'
                WHERE agency_id IN (SELECT id FROM agencies WHERE name LIKE 'Agency 3456_');
                INSERT INTO user_roles (user_id, role) VALUES ('11111111-1111-1111-1111-111111111111', 'admin');
                ANALYZE agencies; ANALYZE agency_cutoffs
                """);
        }

        public ValueTask DisposeAsync() => Api.DisposeAsync();
    }
}
