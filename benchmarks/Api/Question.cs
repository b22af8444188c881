using Actors.Api.Requests;
using Actors.Benchmarks.Databases;
using NodaTime;

namespace Actors.Benchmarks.Api;

/// <summary>One kind of request.</summary>
/// <param name="Name">As the table calls it.</param>
/// <param name="Paths">Readers ask for each of them in turn.</param>
internal sealed record Question(string Name, IReadOnlyList<string> Paths)
{
    private const int PagesOfEach = 200;

    /// <summary>First pages and pages from anywhere, all of the list and what filters leave.</summary>
    public static async Task<IReadOnlyList<Question>> AllAsync(BenchmarkDatabase database, ListData data)
    {
        var random = new Random(1);
        var runs = await RunsAsync();
        var agencies = await AgenciesAsync();
        var busy = await IdsAsync("agency", Enumerable.Range(1, ListData.BusyAgencies));
        var some = await IdsAsync("agency", Numbers(data.Agencies));
        var someRuns = await IdsAsync("job", Numbers(data.Jobs));
        var largest = (await IdsAsync("job", [data.Jobs]))[0];
        return
        [
            new("runs, first page", ["jobs"]),
            new("runs, any page", [.. runs.Select(run => $"jobs?cursor={run.Cursor}")]),
            new("runs that failed (1 in 1,000)", ["jobs?status=failed"]),
            new("the same, any page", [.. runs.Select(run => $"jobs?status=failed&cursor={run.Cursor}")]),
            new("runs of a job by the watchdog (1 in 10,000), any page",
                [.. runs.Select(run => $"jobs?job=update-installment-statuses&trigger=watchdog&cursor={run.Cursor}")]),
            new("runs of one day", [.. runs.Select(run => $"jobs?from={run.At}&to={run.DayAfter}")]),
            new("runs of one day that failed",
                [.. runs.Select(run => $"jobs?status=failed&from={run.At}&to={run.DayAfter}")]),
            new("runs of an agency with 400 of them", [.. busy.Select(id => $"jobs?agency={id}")]),
            new("agencies of a run", [.. someRuns.Select(id => $"jobs/{id}/agencies")]),
            new("agencies of the largest run, any page",
                [.. some.Select(id => $"jobs/{largest}/agencies?cursor={Cursor.Write("job agencies", id, null, id)}")]),
            new("agencies by name, first page", ["agencies"]),
            new("agencies by name, any page",
                [.. agencies.Select(one => $"agencies?cursor={Cursor.Write("agencies name", one.Name, one.Id)}")]),
            new("agencies by next cutoff, any page",
                [.. agencies.Select(one => "agencies?sort=nextCutoff&cursor="
                    + Cursor.Write("agencies nextCutoff", one.Next, one.Id))]),
            new("agencies by last cutoff, the latest first", ["agencies?sort=-lastCutoff"]),
            new("agencies that failed (1 in 10,000)", ["agencies?state=failed"]),
            new("agencies that are late (1 in 10,000)", ["agencies?state=late"]),
            new("agencies in a rare zone (1 in 10,000)", ["agencies?timezone=Asia%2FTokyo"]),
            new("an agency by the beginning of its id", [.. some.Select(id => $"agencies?search={$"{id}"[..13]}")]),
            new("agencies by a part of their name",
                [.. Numbers(data.Agencies).Select(number => $"agencies?search=gency%20{number}")]),
        ];

        IEnumerable<int> Numbers(int most) =>
            Enumerable.Range(0, PagesOfEach).Select(_ => 1 + random.Next(most)).ToArray();

        Task<Guid[]> IdsAsync(string kind, IEnumerable<int> numbers) => database.ReadAsync<Guid[]>(
            "SELECT array_agg(md5(@kind || n)::uuid) FROM unnest(@numbers) AS n",
            ("kind", kind), ("numbers", numbers.ToArray()));

        async Task<List<Run>> RunsAsync()
        {
            await using var source = database.Open();
            await using var command = source.CreateCommand(
                "SELECT id, started_at FROM jobs_log WHERE id IN (SELECT md5('job' || n)::uuid FROM unnest(@n) AS n)");
            command.Parameters.AddWithValue("n", Numbers(data.Jobs));
            await using var reader = await command.ExecuteReaderAsync();
            var found = new List<Run>();
            while (await reader.ReadAsync()) found.Add(new(reader.GetGuid(0), reader.GetFieldValue<Instant>(1)));
            return found;
        }

        async Task<List<Agency>> AgenciesAsync()
        {
            await using var source = database.Open();
            await using var command = source.CreateCommand(
                """
                SELECT a.id, lower(a.name), c.next_cutoff_at FROM agencies a JOIN agency_cutoffs c ON c.agency_id = a.id
                WHERE a.id IN (SELECT md5('agency' || n)::uuid FROM unnest(@n) AS n)
                """);
            command.Parameters.AddWithValue("n", Numbers(data.Agencies));
            await using var reader = await command.ExecuteReaderAsync();
            var found = new List<Agency>();
            while (await reader.ReadAsync())
                found.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetFieldValue<Instant>(2)));
            return found;
        }
    }

    private sealed record Run(Guid Id, Instant Started)
    {
        public string Cursor => Actors.Api.Requests.Cursor.Write("jobs", Started, Id);

        public string At => $"{Started}";

        public string DayAfter => $"{Started + Duration.FromDays(1)}";
    }

    private sealed record Agency(Guid Id, string Name, Instant Next);
}
