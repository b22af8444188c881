using Actors.Grains.Jobs;
using NodaTime;
using Xunit;
using static Actors.Tests.Unit.Cutoffs.WallClock;

namespace Actors.Tests.Unit.Grains;

public sealed class JobIdsTests
{
    private static readonly Instant At5 = At("2026-05-20T17:00:00Z");

    [Fact]
    public void The_run_of_an_instant_has_one_id_on_every_silo_and_in_every_release()
    {
        // Written down: a release that derived another id would open a second row for a cutoff in flight.
        Assert.Equal(JobIds.ForCutoff("job", At5), JobIds.ForCutoff("job", At("2026-05-20T17:00:00Z")));
        Assert.Equal(
            new Guid("2ec2dc58-ea56-8f73-8ac6-83443618fac1"),
            JobIds.ForCutoff("update-installment-statuses", At5).Value);
        Assert.Equal(
            new Guid("ae253fbe-bd7f-88f1-97fb-8af5003fb2de"),
            JobIds.ForCatchUp("update-installment-statuses", At5).Value);
    }

    [Fact]
    public void Ids_differ_by_instant_by_name_and_by_kind()
    {
        var ids = Enumerable.Range(0, 10_000)
            .SelectMany(tick => new[]
            {
                JobIds.ForCutoff("a", At5.PlusTicks(tick)),
                JobIds.ForCutoff("b", At5.PlusTicks(tick)),
                JobIds.ForCatchUp("a", At5.PlusTicks(tick)),
            });

        Assert.Equal(30_000, ids.ToHashSet().Count);
    }

    [Fact]
    public void Ids_are_UUIDs_of_version_8_and_the_RFCs_variant()
    {
        for (var tick = 0; tick < 100; tick++)
        {
            var id = JobIds.ForCutoff("a", At5.PlusTicks(tick)).Value;
            Assert.Equal(8, id.Version);
            Assert.InRange(id.Variant, 0x8, 0xB);
        }
    }
}
