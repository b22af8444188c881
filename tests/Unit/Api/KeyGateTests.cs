using Actors.Api.Access;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Actors.Tests.Unit.Api;

/// <summary>How many keys are looked up at once, and in which way.</summary>
public sealed class KeyGateTests : IDisposable
{
    private static readonly byte[] Key = ApiKey.Create().Hash();

    private readonly FakeTimeProvider time = new();
    private readonly KeyGate gate;

    public KeyGateTests() => gate = new KeyGate(time, atOnce: 4, mostSuspects: 2);

    [Fact]
    public async Task Four_are_looked_up_at_once_and_the_fifth_waits_for_one_of_them()
    {
        var turns = new List<IDisposable>();
        for (var turn = 0; turn < 4; turn++) turns.Add(await EnterAsync(isSuspect: false));

        var fifth = EnterAsync(isSuspect: false);
        Assert.False(fifth.IsCompleted);

        turns[2].Dispose();
        turns[2].Dispose();
        (await fifth).Dispose();
    }

    [Fact]
    public async Task Suspects_are_looked_up_one_at_a_time_a_few_wait_and_the_next_is_refused_beside_all_others()
    {
        var first = await EnterAsync(isSuspect: true);
        var (second, third) = (EnterAsync(isSuspect: true), EnterAsync(isSuspect: true));

        await Assert.ThrowsAsync<TooManyKeysException>(() => EnterAsync(isSuspect: true));
        (await EnterAsync(isSuspect: false)).Dispose();

        Assert.False(second.IsCompleted);
        first.Dispose();
        (await second).Dispose();
        (await third).Dispose();
    }

    [Fact]
    public async Task Who_turns_out_a_suspect_while_waiting_goes_the_narrow_way()
    {
        var turns = new List<IDisposable>();
        for (var turn = 0; turn < 4; turn++) turns.Add(await EnterAsync(isSuspect: false));
        using var narrow = await EnterAsync(isSuspect: true);
        var isSuspect = false;
        var waiting = gate.EnterAsync(Key, () => isSuspect, TestContext.Current.CancellationToken);
        isSuspect = true;

        foreach (var turn in turns) turn.Dispose();
        for (var turn = 0; turn < 4; turn++) await EnterAsync(isSuspect: false);

        Assert.False(waiting.IsCompleted);
        narrow.Dispose();
        (await waiting).Dispose();
    }

    [Fact]
    public async Task A_key_that_was_good_a_moment_ago_is_no_suspect_and_forgotten_after_a_minute()
    {
        using var narrow = await EnterAsync(isSuspect: true);
        gate.Remember(Key);

        time.Advance(KeyGate.RememberedFor - TimeSpan.FromSeconds(1));
        (await EnterAsync(isSuspect: true)).Dispose();

        time.Advance(TimeSpan.FromSeconds(1));
        var late = EnterAsync(isSuspect: true);
        Assert.False(late.IsCompleted);
        narrow.Dispose();
        (await late).Dispose();
    }

    public void Dispose() => gate.Dispose();

    private Task<IDisposable> EnterAsync(bool isSuspect) =>
        gate.EnterAsync(Key, () => isSuspect, TestContext.Current.CancellationToken);
}
