using NodaTime;

namespace Actors.Benchmarks.Databases;

/// <summary>Instants of one UTC day, each the same time after the one before it.</summary>
/// <param name="First">The first.</param>
/// <param name="Apart">From one to the next.</param>
/// <param name="Count">How many.</param>
internal sealed record CutoffsInTurn(Instant First, Duration Apart, int Count)
{
    public Instant Last => At(Count - 1);

    public Instant At(int place) => First + Apart * place;

    /// <summary>
    /// They begin at or after this. All of them lie in one day, and none in its last second, which no cutoff time may.
    /// </summary>
    public static CutoffsInTurn From(Instant earliest, Duration apart, int count)
    {
        var cutoffs = new CutoffsInTurn(earliest, apart, count);
        var midnight = cutoffs.Last.Plus(Duration.FromSeconds(1)).InUtc().Date.AtMidnight().InUtc().ToInstant();
        return earliest < midnight ? cutoffs with { First = midnight } : cutoffs;
    }

    /// <summary>
    /// So many of the agencies of a database, armed by the product before, have these cutoffs, and were served on the
    /// day before; so do their reminders. Everybody else keeps its own. No silo may run meanwhile.
    /// </summary>
    public async Task SetAsync(BenchmarkDatabase database)
    {
        await database.ExecuteAsync("ALTER TABLE agencies DISABLE TRIGGER USER");
        await database.ExecuteAsync(
            """
            CREATE TABLE IF NOT EXISTS cutoffs_in_turn (agency_id uuid PRIMARY KEY, at timestamptz NOT NULL);
            TRUNCATE cutoffs_in_turn;
            INSERT INTO cutoffs_in_turn
            SELECT id, @first + @apart * (row_number() OVER (ORDER BY id) - 1)
            FROM (SELECT id FROM agencies ORDER BY id LIMIT @count) AS chosen
            """,
            ("first", First), ("apart", Apart), ("count", Count));
        await database.ExecuteAsync(
            """
            UPDATE agencies a SET timezone = 'UTC', overdue_cutoff_time = (t.at AT TIME ZONE 'UTC')::time
            FROM cutoffs_in_turn t WHERE t.agency_id = a.id
            """);
        await database.ExecuteAsync("ALTER TABLE agencies ENABLE TRIGGER USER");
        await database.ExecuteAsync(
            """
            DELETE FROM agency_runs r USING cutoffs_in_turn t
            WHERE r.agency_id = t.agency_id AND r.cutoff_date >= @date;
            UPDATE agency_cutoffs c
            SET last_cutoff_date = @date - 1, last_cutoff_at = t.at - interval '1 day',
                next_cutoff_date = @date, next_cutoff_at = t.at, settings_changed_at = t.at - interval '30 days'
            FROM cutoffs_in_turn t WHERE t.agency_id = c.agency_id;
            UPDATE orleans.reminders r SET start_time = t.at
            FROM cutoffs_in_turn t
            WHERE r.grain_id = 'agency/' || replace(t.agency_id::text, '-', '') AND r.reminder_name = 'cutoff'
            """,
            ("date", First.InUtc().Date));
        var armed = await database.ReadAsync<long>(
            "SELECT count(*) FROM orleans.reminders JOIN cutoffs_in_turn ON start_time = at");
        if (armed != Count) throw new InvalidOperationException($"{armed} reminders were moved; expected are {Count}.");
    }
}
