using System.Diagnostics;
using Actors.Grains.Installments;
using Actors.Grains.Interfaces;
using Xunit;

namespace Actors.Tests.Unit.Grains;

public sealed class RunsToLookAtTests
{
    private static readonly JobId Morning = new(new Guid("11111111-1111-4111-8111-111111111111"));
    private static readonly JobId Evening = new(new Guid("22222222-2222-4222-8222-222222222222"));

    private readonly RunsToLookAt _runs = new();

    [Fact]
    public void A_run_is_looked_at_at_once_when_nobody_waits()
    {
        _runs.Keep([Morning]);

        Assert.Equal([Morning], Taken(isLast: true));
        Assert.Empty(Taken(isLast: true));
    }

    [Fact]
    public void While_agencies_wait_runs_are_kept_and_then_looked_at_once()
    {
        _runs.Keep([Morning]);
        Assert.Empty(Taken(isLast: false));
        _runs.Keep([Evening, Morning]);

        Assert.Equal([Morning, Evening], Taken(isLast: true));
    }

    [Fact]
    public void Where_agencies_never_cease_to_wait_runs_are_looked_at_every_eight_batches()
    {
        var looks = Enumerable.Range(1, 24).Where(_ =>
        {
            _runs.Keep([Morning]);
            return Taken(isLast: false).Any();
        });

        Assert.Equal([8, 16, 24], looks);
    }

    [Fact]
    public void A_run_is_looked_at_in_the_trace_of_the_batch_that_wrote_to_it_last()
    {
        using var batch = new Activity("mark installments").Start();
        _runs.Keep([Morning]);
        batch.Stop();

        Assert.Equal(batch.Context, Assert.Single(_runs.TakeAfterBatch(isLast: true)).Value);
    }

    private IEnumerable<JobId> Taken(bool isLast) => _runs.TakeAfterBatch(isLast).Select(run => run.Key);
}
