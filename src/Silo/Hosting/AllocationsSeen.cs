namespace Actors.Silo.Hosting;

/// <summary>
/// What a process has allocated, seen from look to look, and whether it has come to rest since.
/// </summary>
/// <param name="Total">Bytes since its start, at the last look.</param>
/// <param name="AtRest">Bytes since its start, when it last was found to have come to rest.</param>
internal sealed record AllocationsSeen(long Total, long AtRest)
{
    /// <summary>Between two looks.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Who allocates less than this from one look to the next does little: 2 to 5 MB where nothing happens. A silo of
    /// 30,000 agencies allocates 17 MB when it reads its reminders, every 5 minutes, and one of 100,000 50 MB.
    /// </summary>
    public const long Little = 32 << 20;

    /// <summary>Less than this, since it last was at rest, leaves nothing behind that is worth a collection.</summary>
    public const long Much = 64 << 20;

    /// <summary>
    /// So many looks in a row must find little. Before, the agencies of a burst are still there: Orleans deactivates
    /// them 2 to 4 minutes after it. More would not fit between two readings of many reminders.
    /// </summary>
    public const int Enough = 4;

    private int Quiet { get; init; }

    public static AllocationsSeen Nothing { get; } = new(0, 0);

    /// <summary>Whether the look found that it has come to rest.</summary>
    public bool HasComeToRest { get; private init; }

    /// <summary>One more look.</summary>
    /// <param name="total">Bytes that the process has allocated since its start.</param>
    public AllocationsSeen Look(long total)
    {
        var quiet = total - Total < Little ? Quiet + 1 : 0;
        var rests = quiet >= Enough && total - AtRest >= Much;
        return new AllocationsSeen(total, rests ? total : AtRest) { Quiet = quiet, HasComeToRest = rests };
    }
}
