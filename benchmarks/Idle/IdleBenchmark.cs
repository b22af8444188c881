using System.Globalization;
using Actors.Benchmarks.Databases;
using Actors.Benchmarks.Measuring;

namespace Actors.Benchmarks.Idle;

/// <summary>How large, and how long.</summary>
/// <param name="Data">Agencies, with a little data.</param>
/// <param name="Period">Over which the processor is averaged.</param>
/// <param name="Settle">From the start of the silos to the beginning of it.</param>
/// <param name="IsProfiled">Whether to report what PostgreSQL spent on each of our statements.</param>
internal sealed record IdleSize(PaymentData Data, TimeSpan Period, TimeSpan Settle, bool IsProfiled = false);

/// <summary>
/// Agencies whose cutoffs are hours away, on one silo. Three silos, each a process with a database of its own, wait at
/// the same time, so that what else the machine does falls on all.
/// </summary>
internal sealed class IdleBenchmark(BenchmarkServer server, IdleSize size, Action<string> report)
{
    private static readonly string[] Heads =
    [
        "", "memory", "at most", "processor, of one core", "above the empty silo",
        "PostgreSQL's statements, of one core",
    ];

    private static readonly string[] ReadHeads =
        ["", "reads of the reminders", "rows of each", "blocks of each", "bytes of each", "time of each"];

    /// <summary>Measures, and answers the section.</summary>
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        report($"Preparing {size.Data.Described} …");
        var nothing = await server.CreateMigratedAsync("idle_empty");
        var fresh = await server.CreateMigratedAsync("idle_fresh");
        await size.Data.FillAsync(fresh, (await fresh.NowAsync()).InUtc().Date);
        await fresh.SpreadAsync();

        var armed = await server.CloneAsync(fresh, "idle_armed");
        report("Arming …");
        await using (var silo = ActorsProcess.StartSilo(armed))
        {
            await ArmedAsync(silo, armed);
            await silo.TerminateAsync();
        }

        await using var first = ActorsProcess.StartSilo(fresh);
        await ArmedAsync(first, fresh);
        await using var empty = ActorsProcess.StartSilo(nothing);
        await using var restarted = ActorsProcess.StartSilo(armed);
        await Task.WhenAll(empty.ReadyAsync(), restarted.ReadyAsync());
        await Task.Delay(size.Settle, TimeProvider.System, cancellationToken);

        report($"Waiting for {size.Period} …");
        IdleSilo[] silos =
        [
            await IdleSilo.BeginAsync("an empty silo", empty, nothing),
            await IdleSilo.BeginAsync("a silo that was started on them", restarted, armed),
            await IdleSilo.BeginAsync("the silo that has armed them", first, fresh),
        ];
        await Task.Delay(size.Period, TimeProvider.System, cancellationToken);
        foreach (var silo in silos) await silo.EndAsync();
        if (size.IsProfiled) await StatementProfile.ReportAsync(armed, report);

        return $"""
            {size.Data.Agencies:N0} agencies whose cutoffs are hours away, spread over the day, and one silo, for
            {size.Period.TotalMinutes:0.#} minutes, {size.Settle.TotalSeconds:0} s after its start. Three silos wait at
            the same time, each in a process and with a database of its own: one without agencies, one that was started
            when they were armed, and one that has armed them all itself.
            Memory is what the process holds of the machine's (VmRSS) at the end, and at most (VmHWM) since its start.
            The bars: under 400 MB, and at most 1 % of one core above the empty silo.

            {Table.Of(Heads, silos.Select(silo => silo.Row(silos[0])))}
            What reading the reminders costs PostgreSQL, since each silo's start (`pg_stat_statements`, of 8 kB blocks
            that were all in memory, and the bytes of the rows' values). Orleans reads all of a silo's range when it
            starts and then every 5 minutes, and keeps those that are due within 10 minutes.

            {Table.Of(ReadHeads, await Task.WhenAll(silos.Select(silo => silo.ReadsAsync())))}
            {await Machine.DescribeAsync(server)}
            """;

        async Task ArmedAsync(ActorsProcess silo, BenchmarkDatabase database)
        {
            await silo.ReadyAsync();
            await database.UntilArmedAsync();
            var (now, atMost) = await silo.MemoryAsync();
            report(string.Create(
                CultureInfo.InvariantCulture, $"   all armed: memory {now / 1e6:0} MB, at most {atMost / 1e6:0} MB"));
        }
    }
}
