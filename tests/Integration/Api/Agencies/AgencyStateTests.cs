using Actors.Api.Agencies;
using Xunit;

namespace Actors.Tests.Integration.Api.Agencies;

/// <summary>What the four states mean, to the microsecond, and that filters find all that is in one.</summary>
public sealed class AgencyStateTests(AgencyApi api) : IClassFixture<AgencyApi>
{
    private const string Now = "2026-03-02 12:00:00Z";

    [Theory]
    [InlineData(null, 0, "2026-03-02 12:00:01Z", "2026-01-01", "on_time")]
    [InlineData(null, 0, "2026-03-02 11:59:50Z", "2026-01-01", "on_time")]
    [InlineData(null, 0, "2026-03-02 11:59:49.999999Z", "2026-01-01", "late")]
    [InlineData(null, 0, null, "2026-03-02 11:59:00Z", "on_time")]
    [InlineData(null, 0, null, "2026-03-02 11:58:59.999999Z", "late")]
    [InlineData(null, 0, null, null, "late")]
    [InlineData(null, 0, null, "2026-03-02 13:00:00Z", "on_time")]
    [InlineData(null, 1, "2026-03-02 12:00:01Z", "2026-01-01", "failed")]
    [InlineData(null, 1, "2026-03-01 12:00:01Z", "2026-01-01", "failed")]
    [InlineData("2026-03-01", 0, "2026-03-01 12:00:00Z", "2026-01-01", "paused")]
    [InlineData("2026-03-01", 9, null, "2026-01-01", "paused")]
    public async Task The_first_of_paused_failed_and_late_that_holds_is_the_state_and_else_it_is_on_time(
        string? pausedAt, int failedAttempts, string? nextCutoffAt, string? settingsChangedAt, string state) =>
        Assert.Equal(state, await api.World.ReadAsync<string>(
            """
            SELECT actors.agency_state(
              $1::text::timestamptz, $2, $3::text::timestamptz, $4::text::timestamptz, $5::text::timestamptz)
            """,
            pausedAt, failedAttempts, nextCutoffAt, settingsChangedAt, Now));

    [Fact]
    public async Task What_an_index_finds_for_a_state_leaves_out_none_that_is_in_it()
    {
        const string everything =
            """
            SELECT p.*, f.*, n.*, s.*
            FROM (VALUES (NULL::timestamptz), (now())) AS p (paused_at),
                 (VALUES (0), (1), (2)) AS f (failed_attempts),
                 (VALUES (NULL::timestamptz), (now()), (now() - interval '10 seconds'), (now() - interval '11 seconds'),
                         (now() + interval '1 day'), (now() - interval '9 days')) AS n (next_cutoff_at),
                 (VALUES (NULL::timestamptz), (now()), (now() - interval '61 seconds')) AS s (settings_changed_at)
            """;
        var shown = 0L;
        foreach (var state in AgencyState.All)
        {
            var inState = $"{AgencyState.At("now()")} = '{state.InDatabase}'";
            var all = await api.World.ReadAsync<long>($"SELECT count(*) FROM ({everything}) AS c WHERE {inState}");
            var found = await api.World.ReadAsync<long>(
                $"SELECT count(*) FROM ({everything}) AS c WHERE ({state.Finds}) AND {inState}");
            Assert.True(all > 0, state.Word);
            Assert.Equal(all, found);
            shown += all;
        }

        Assert.Equal(2 * 3 * 6 * 3, shown);
    }
}
