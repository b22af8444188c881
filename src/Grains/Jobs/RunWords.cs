using Actors.Grains.Interfaces;

namespace Actors.Grains.Jobs;

/// <summary>
/// The words that stand in `agency_runs` and `jobs_log.metadata` for our types; other programs read them.
/// </summary>
internal static class RunWords
{
    public static string Of(RunTrigger trigger) => trigger switch
    {
        RunTrigger.Reminder => "reminder",
        RunTrigger.CatchUp => "catch_up",
        RunTrigger.Watchdog => "watchdog",
        RunTrigger.Api => "api",
        _ => throw new ArgumentOutOfRangeException(nameof(trigger), trigger, "no word is known for this trigger"),
    };

    public static string Of(CutoffResolution resolution) => resolution switch
    {
        CutoffResolution.Once => "once",
        CutoffResolution.Shifted => "shifted",
        CutoffResolution.LaterOfTwo => "later_of_two",
        CutoffResolution.DateAbsent => "date_absent",
        _ => throw new ArgumentOutOfRangeException(
            nameof(resolution), resolution, "no word is known for this resolution"),
    };
}
