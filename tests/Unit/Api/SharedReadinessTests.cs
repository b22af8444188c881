using Actors.Api.Health;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Actors.Tests.Unit.Api;

/// <summary>However many ask, few checks are made.</summary>
public sealed class SharedReadinessTests
{
    private readonly FakeTimeProvider time = new();
    private readonly HeldChecks checks = new();
    private readonly SharedReadiness readiness;

    public SharedReadinessTests() => readiness = new SharedReadiness(checks, time);

    [Fact]
    public async Task All_who_ask_while_a_check_is_made_share_it_and_one_who_goes_leaves_it_to_the_others()
    {
        using var gone = new CancellationTokenSource();
        var first = readiness.AskAsync(gone.Token);
        var others = Enumerable.Range(0, 100).Select(_ => AskAsync()).ToList();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);

        checks.End();

        var reports = await Task.WhenAll(others);
        Assert.Single(reports.Distinct());
        Assert.Equal(1, checks.Made);
    }

    [Fact]
    public async Task What_was_found_is_told_for_a_second()
    {
        checks.End();
        await AskAsync();
        time.Advance(SharedReadiness.KeptFor - TimeSpan.FromMilliseconds(1));
        await AskAsync();
        Assert.Equal(1, checks.Made);

        time.Advance(TimeSpan.FromMilliseconds(1));
        await AskAsync();
        Assert.Equal(2, checks.Made);
    }

    [Fact]
    public async Task A_check_that_broke_is_made_again_by_the_next_who_asks()
    {
        checks.Break();
        await Assert.ThrowsAsync<InvalidOperationException>(AskAsync);
        await Assert.ThrowsAsync<InvalidOperationException>(AskAsync);

        Assert.Equal(2, checks.Made);
    }

    private Task<HealthReport> AskAsync() => readiness.AskAsync(TestContext.Current.CancellationToken);

    private sealed class HeldChecks : HealthCheckService
    {
        private readonly TaskCompletionSource end = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int made;

        public int Made => Volatile.Read(ref made);

        public void End() => end.SetResult();

        public void Break() => end.SetException(new InvalidOperationException("Broken."));

        public override async Task<HealthReport> CheckHealthAsync(
            Func<HealthCheckRegistration, bool>? predicate, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref made);
            await end.Task;
            return new HealthReport(new Dictionary<string, HealthReportEntry>(), TimeSpan.Zero);
        }
    }
}
