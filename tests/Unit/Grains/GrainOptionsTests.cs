using Actors.Grains;
using Xunit;

namespace Actors.Tests.Unit.Grains;

public sealed class GrainOptionsTests
{
    public static TheoryData<GrainOptions, string> Refused { get; } = new()
    {
        { new() { BatchSize = 0 }, "BatchSize is 0; expected is 1 to 4,096." },
        { new() { BatchSize = 4_097 }, "BatchSize is 4097; expected is 1 to 4,096." },
        { new() { MarkingWorkers = 7 }, "MarkingWorkers is 7; expected is 1 to 6." },
        { new() { DatesPerTransaction = 0 }, "DatesPerTransaction is 0; expected is 1 to 366." },
        { new() { WaveSize = 0 }, "WaveSize is 0; expected is at least 1." },
        { new() { AgenciesInFlight = -1 }, "AgenciesInFlight is -1; expected is at least 1." },
        { new() { SweepPeriod = TimeSpan.Zero }, "SweepPeriod is 00:00:00; expected is at least 1 s." },
        {
            new() { Retention = TimeSpan.FromDays(30) },
            "Retention is 30.00:00:00; expected is at least 31 days, or null to keep everything."
        },
        {
            new() { RunLimit = TimeSpan.FromSeconds(15) },
            "RunLimit is 00:00:15; expected is more than the sweep's period, 00:00:15."
        },
    };

    [Fact]
    public void Everything_may_be_kept_for_ever() =>
        Assert.Null(new GrainOptions { Retention = null }.Validated().Retention);

    [Fact]
    public void The_defaults_hold() =>
        Assert.Equal(new GrainOptions().BatchSize, new GrainOptions().Validated().BatchSize);

    [Theory]
    [MemberData(nameof(Refused))]
    public void What_could_not_work_is_refused_with_what_was_got_and_what_is_expected(GrainOptions options, string says)
    {
        var error = Assert.Throws<ArgumentException>(() => options.Validated());

        Assert.StartsWith(says, error.Message, StringComparison.Ordinal);
    }
}
