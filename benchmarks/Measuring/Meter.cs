using System.Diagnostics;
using System.Globalization;
using Actors.Benchmarks.Databases;
using NpgsqlTypes;

namespace Actors.Benchmarks.Measuring;

/// <summary>What a stretch of work cost.</summary>
/// <param name="DatabaseProcessor">Processor time of PostgreSQL, all of its processes.</param>
/// <param name="OwnProcessor">Processor time of this process.</param>
/// <param name="WalBytes">What PostgreSQL wrote ahead.</param>
internal sealed record Cost(TimeSpan DatabaseProcessor, TimeSpan OwnProcessor, long WalBytes)
{
    /// <summary>Nothing was metered.</summary>
    public static readonly Cost None = new(TimeSpan.Zero, TimeSpan.Zero, 0);
}

/// <summary>Begins to meter when it is made.</summary>
internal sealed class Meter
{
    /// <summary>A clock tick of /proc is a hundredth of a second on every Linux that .NET runs on.</summary>
    private const double TickSeconds = 0.01;

    private readonly BenchmarkDatabase _database;
    private readonly int _postmaster;
    private readonly long _ticks;
    private readonly NpgsqlLogSequenceNumber _wal;
    private readonly TimeSpan _own;

    private Meter(BenchmarkDatabase database, int postmaster, NpgsqlLogSequenceNumber wal)
    {
        (_database, _postmaster, _wal) = (database, postmaster, wal);
        _ticks = TicksOf(postmaster);
        _own = Own();
    }

    public static async Task<Meter> StartAsync(BenchmarkDatabase database)
    {
        await using var source = database.Open();
        await using var connection = await source.OpenConnectionAsync();
        return new Meter(database, ParentOf(connection.ProcessID), await WalAsync(database));
    }

    public async Task<Cost> ReadAsync()
    {
        var (own, ticks) = (Own() - _own, TicksOf(_postmaster) - _ticks);
        return new Cost(TimeSpan.FromSeconds(ticks * TickSeconds), own, (long)(await WalAsync(_database) - _wal));
    }

    private static TimeSpan Own()
    {
        using var process = Process.GetCurrentProcess();
        return process.TotalProcessorTime;
    }

    private static Task<NpgsqlLogSequenceNumber> WalAsync(BenchmarkDatabase database) =>
        database.ReadAsync<NpgsqlLogSequenceNumber>("SELECT pg_current_wal_insert_lsn()");

    private static int ParentOf(int process) =>
        Stat($"/proc/{process}/stat") is { } stat
            ? int.Parse(stat[1], CultureInfo.InvariantCulture)
            : throw new InvalidOperationException("PostgreSQL's own process is not to be seen in /proc.");

    /// <summary>Of the postmaster, its children that are there, and those that have ended.</summary>
    private static long TicksOf(int postmaster)
    {
        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var process)) continue;
            if (Stat($"{folder}/stat") is not { } stat) continue;
            var isChild = int.Parse(stat[1], CultureInfo.InvariantCulture) == postmaster;
            if (process == postmaster) ticks += Sum(stat, 11, 4);
            else if (isChild) ticks += Sum(stat, 11, 2);
        }

        return ticks;

        static long Sum(string[] stat, int first, int count) =>
            stat.Skip(first).Take(count).Sum(field => long.Parse(field, CultureInfo.InvariantCulture));
    }

    /// <summary>The fields behind the name, from the state on; null where the process has ended.</summary>
    private static string[]? Stat(string file)
    {
        try
        {
            var text = File.ReadAllText(file);
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
