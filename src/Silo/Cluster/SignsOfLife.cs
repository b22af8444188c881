namespace Actors.Silo.Cluster;

/// <summary>
/// What one silo has seen of the signs of life in the membership table, and who has fallen silent by that. A silo that
/// alone cannot reach the database answers the others' probes; but its sign of life stands still.
/// <para>
/// Nothing is compared with a clock that another silo may have wrong: a sign has moved where it is another than before,
/// and how long it stands still is counted by the clock of who looks. Our own sign is the control. Where it stands
/// still as well the table cannot be written, by anybody perhaps, and nobody's silence counts.
/// </para>
/// </summary>
internal sealed class SignsOfLife
{
    /// <summary>Between two looks.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>
    /// So long a sign must have stood still. A statement that is lost may hang for as long as Orleans' pool lets it,
    /// and 2 s more until it is cancelled; the next one is a moment later, and comes in time.
    /// </summary>
    public static readonly TimeSpan Silence = FailureDetection.SignOfLife
        + TimeSpan.FromSeconds(OrleansDataSource.TimeoutSeconds) + TimeSpan.FromSeconds(2.5);

    /// <summary>
    /// Our own may stand still for no longer. Where nobody can write, ours may have come at the last moment, and was
    /// seen at the next look; another's 5 s before that. So this, and a look, must be less than <see cref="Silence"/>
    /// without those 5 s; and more than our own sign takes, seen from look to look.
    /// </summary>
    public static readonly TimeSpan OwnSilence = FailureDetection.SignOfLife + TimeSpan.FromSeconds(3);

    private readonly SiloAddress _own;
    private readonly Dictionary<SiloAddress, Seen> _seen;

    private SignsOfLife(
        SiloAddress own, Dictionary<SiloAddress, Seen> seen, IReadOnlyList<(SiloAddress, TimeSpan)> silent)
    {
        _own = own;
        _seen = seen;
        Silent = silent;
    }

    /// <summary>Who has fallen silent, and for how long; never the one who looks.</summary>
    public IReadOnlyList<(SiloAddress Silo, TimeSpan For)> Silent { get; }

    /// <summary>Of somebody who has seen nothing yet; or not for a while, so that all is counted anew.</summary>
    public static SignsOfLife NothingSeen(SiloAddress own) => new(own, [], []);

    /// <summary>One more look.</summary>
    /// <param name="asked">When the table was asked, by a clock that only goes on.</param>
    /// <param name="answered">When it had answered, by the same clock.</param>
    /// <param name="signs">What each active silo has written.</param>
    public SignsOfLife Look(TimeSpan asked, TimeSpan answered, IReadOnlyDictionary<SiloAddress, DateTime> signs)
    {
        var seen = signs.ToDictionary(sign => sign.Key, sign => SeenAt(answered, sign.Key, sign.Value));
        var isWritten = seen.TryGetValue(_own, out var own) && answered - own.Since <= OwnSilence;
        var others = signs.Keys.Where(silo => !silo.Equals(_own)).ToArray();
        if (isWritten)
        {
            return new SignsOfLife(_own, seen, [
                .. others.Select(silo => (Silo: silo, For: asked - seen[silo].Since))
                    .Where(silo => silo.For >= Silence),
            ]);
        }

        // When it can be written again, everybody has the whole time to do so.
        foreach (var silo in others) seen[silo] = new Seen(signs[silo], answered);
        return new SignsOfLife(_own, seen, []);
    }

    private Seen SeenAt(TimeSpan now, SiloAddress silo, DateTime sign) =>
        _seen.TryGetValue(silo, out var before) && before.Sign == sign ? before : new Seen(sign, now);

    /// <param name="Sign">What is written.</param>
    /// <param name="Since">When it was seen first.</param>
    private readonly record struct Seen(DateTime Sign, TimeSpan Since);
}
