using System.Globalization;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;

namespace Actors.Benchmarks.Days;

/// <summary>One table or index.</summary>
/// <param name="Name">With its schema where that is not `public`.</param>
/// <param name="Bytes">Of its main fork.</param>
/// <param name="Rows">As PostgreSQL estimates them after ANALYZE.</param>
internal sealed record Relation(string Name, long Bytes, double Rows);

/// <summary>How large everything is that a burst writes, on one day.</summary>
internal sealed record Sizes(int Day, IReadOnlyList<Relation> Relations)
{
    public string Summary => string.Join(", ", Relations
        .Where(relation => relation.Name is "installments" or "agency_cutoffs" or "agency_runs")
        .Select(relation => $"{relation.Name} {Of(relation.Bytes)}"));

    public static async Task<Sizes> ReadAsync(BenchmarkDatabase database, int day)
    {
        await database.ExecuteAsync("ANALYZE installments, agency_cutoffs, agency_runs, jobs_log, orleans.reminders");
        await using var source = database.Open();
        await using var command = source.CreateCommand(
            """
            WITH written AS (
              SELECT c.oid, c.oid AS owner, 0 AS place FROM pg_class c
              WHERE c.oid IN ('installments'::regclass, 'agency_cutoffs'::regclass, 'agency_runs'::regclass,
                              'jobs_log'::regclass, 'orleans.reminders'::regclass)
              UNION ALL
              SELECT i.indexrelid, i.indrelid, 1 FROM pg_index i
              WHERE i.indrelid IN ('installments'::regclass, 'agency_cutoffs'::regclass, 'agency_runs'::regclass,
                                   'jobs_log'::regclass, 'orleans.reminders'::regclass)
            )
            SELECT w.oid::regclass::text, pg_relation_size(w.oid), c.reltuples::double precision
            FROM written w JOIN pg_class c ON c.oid = w.oid
            ORDER BY w.owner::regclass::text, w.place, w.oid::regclass::text
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var relations = new List<Relation>();
        while (await reader.ReadAsync())
            relations.Add(new Relation(reader.GetString(0), reader.GetInt64(1), reader.GetDouble(2)));
        return new Sizes(day, relations);
    }

    /// <summary>At the first of these days, at two between, and at the last.</summary>
    public static string TableOf(IReadOnlyList<Sizes> sizes)
    {
        Sizes[] shown = [.. new[] { 0, sizes.Count / 3, 2 * sizes.Count / 3, sizes.Count - 1 }.Distinct()
            .Select(place => sizes[place])];
        var (first, last) = (shown[0], shown[^1]);
        string[] heads =
        [
            "table or index", .. shown.Select(one => $"day {one.Day}"), $"bytes a row on day {first.Day}",
            $"on day {last.Day}",
        ];
        return Table.Of(heads, last.Relations.Select(relation => (string[])
        [
            $"`{relation.Name}`",
            .. shown.Select(one => Of(Find(one, relation.Name).Bytes)),
            PerRow(Find(first, relation.Name)),
            PerRow(relation),
        ]));
    }

    private static Relation Find(Sizes sizes, string name) => sizes.Relations.Single(one => one.Name == name);

    private static string PerRow(Relation relation) => relation.Rows < 1
        ? "–"
        : string.Create(CultureInfo.InvariantCulture, $"{relation.Bytes / relation.Rows:N0}");

    private static string Of(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:N0} kB");
}
