using Npgsql;

namespace Actors.Tests.Integration.Cutoffs;

/// <summary>Asks PostgreSQL's AT TIME ZONE for the cutoffs of <see cref="EveryDay"/>, in sums or one by one.</summary>
internal sealed class PostgresClock(NpgsqlDataSource database)
{
    private const string CutoffsOfZone =
        """
          SELECT day / 7 AS week, (day % 7) * cardinality(@times) + t.place AS place,
            date_part('epoch', (@first + day + t.cutoff) AT TIME ZONE @zone) AS epoch
          FROM generate_series(0, @days - 1) AS day CROSS JOIN unnest(@times) WITH ORDINALITY AS t(cutoff, place)
        """;

    /// <summary>
    /// Three moments about the place in the week, so that errors which cancel out in one show in another. All are
    /// whole numbers below 2^53, which a double holds exactly, and adds faster than a numeric. OFFSET keeps the planner
    /// from asking for each instant three times.
    /// </summary>
    private const string SumsSql =
        $"""
        SELECT week, count(*), sum(epoch), sum(epoch * place), sum(epoch * place * place)
        FROM ({CutoffsOfZone} OFFSET 0) AS cutoffs
        GROUP BY week ORDER BY week
        """;

    private const string CutoffsSql =
        $"""
        SELECT week * 7 * cardinality(@times) + place - 1, epoch
        FROM ({CutoffsOfZone}) AS cutoffs
        WHERE week = ANY (@weeks) ORDER BY 1
        """;

    /// <summary>The full quarters of an hour at which the zone's offset is another than just before.</summary>
    private const string OffsetsSql =
        """
        SELECT epoch, offset_seconds
        FROM (
          SELECT epoch, offset_seconds, lag(offset_seconds) OVER (ORDER BY epoch) AS previous
          FROM (
            SELECT epoch, date_part('epoch', to_timestamp(epoch) AT TIME ZONE @zone)::bigint - epoch AS offset_seconds
            FROM generate_series(@start, @end, 900) AS epoch
          ) AS offsets
        ) AS changes
        WHERE offset_seconds IS DISTINCT FROM previous ORDER BY epoch
        """;

    public async Task<IReadOnlyList<string>> ZoneNamesAsync()
    {
        await using var command = database.CreateCommand("SELECT name FROM pg_timezone_names");
        return await ReadAsync(command, reader => reader.GetString(0));
    }

    /// <summary>The names that AT TIME ZONE takes for abbreviations, and so for fixed offsets.</summary>
    public async Task<IReadOnlyList<string>> AbbreviationsAsync()
    {
        await using var command = database.CreateCommand("SELECT abbrev FROM pg_timezone_abbrevs");
        return await ReadAsync(command, reader => reader.GetString(0));
    }

    public async Task<string> VersionAsync()
    {
        await using var command = database.CreateCommand("SHOW server_version");
        return (string)(await command.ExecuteScalarAsync())!;
    }

    public async Task<IReadOnlyList<WeekSums>> SumsAsync(string zone)
    {
        await using var command = Command(SumsSql, zone);
        return await ReadAsync(command, reader => new WeekSums(
            reader.GetInt64(1), (long)reader.GetDouble(2), (long)reader.GetDouble(3), (long)reader.GetDouble(4)));
    }

    /// <summary>The cutoffs of some weeks: places in the grid, counted from 0, and seconds since 1970.</summary>
    public async Task<IReadOnlyList<(int Index, long Seconds)>> CutoffsAsync(string zone, IEnumerable<int> weeks)
    {
        await using var command = Command(CutoffsSql, zone);
        command.Parameters.AddWithValue("weeks", weeks.ToArray());
        return await ReadAsync(command, reader => ((int)reader.GetInt64(0), (long)reader.GetDouble(1)));
    }

    /// <summary>The offsets that the zone has, each with the instant from which on; the first is the start.</summary>
    public async Task<IReadOnlyList<(long Seconds, long Offset)>> OffsetsAsync(string zone, long start, long end)
    {
        await using var command = database.CreateCommand(OffsetsSql);
        command.Parameters.AddWithValue("zone", zone);
        command.Parameters.AddWithValue("start", start);
        command.Parameters.AddWithValue("end", end);
        return await ReadAsync(command, reader => (reader.GetInt64(0), reader.GetInt64(1)));
    }

    private NpgsqlCommand Command(string sql, string zone)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.AddWithValue("zone", zone);
        command.Parameters.AddWithValue("days", EveryDay.Days);
        command.Parameters.AddWithValue("first", EveryDay.First);
        command.Parameters.AddWithValue("times", EveryDay.Times);
        return command;
    }

    private static async Task<IReadOnlyList<T>> ReadAsync<T>(NpgsqlCommand command, Func<NpgsqlDataReader, T> row)
    {
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync()) rows.Add(row(reader));
        return rows;
    }
}

/// <summary>A week's cutoffs in four numbers: how many, and their moments of order 0, 1 and 2 by place.</summary>
internal readonly record struct WeekSums(long Count, long Zeroth, long First, long Second)
{
    public static WeekSums Of(ReadOnlySpan<long> week)
    {
        var sums = new WeekSums(week.Length, 0, 0, 0);
        for (long place = 1; place <= week.Length; place++)
        {
            var seconds = week[(int)place - 1];
            sums = new WeekSums(
                sums.Count,
                sums.Zeroth + seconds,
                sums.First + (seconds * place),
                sums.Second + (seconds * place * place));
        }

        return sums;
    }
}
