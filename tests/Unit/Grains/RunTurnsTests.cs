using Actors.Grains.Jobs;
using Xunit;

namespace Actors.Tests.Unit.Grains;

public sealed class RunTurnsTests
{
    private readonly RunTurns _turns = new(atOnce: 2, mostWaiting: 2);
    private readonly List<string> _begun = [];

    [Fact]
    public async Task Two_go_on_at_once_and_the_others_follow_in_the_order_in_which_they_came()
    {
        var works = new[] { "a", "b", "c", "d" }.Select(Begin).ToArray();
        Assert.Equal(["a", "b"], _begun);

        works[1].End.SetResult();
        await works[1].Done;
        await works[2].Begun.Task;
        Assert.Equal(["a", "b", "c"], _begun);

        works[0].End.SetException(new InvalidOperationException("a fails"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => works[0].Done);
        await works[3].Begun.Task;
        Assert.Equal(["a", "b", "c", "d"], _begun);
    }

    [Fact]
    public async Task There_is_room_again_when_a_turn_was_given_back()
    {
        var works = new[] { "a", "b", "c", "d" }.Select(Begin).ToArray();
        Assert.False(_turns.HasRoom);

        works[0].End.SetResult();
        await works[2].Begun.Task;
        Assert.True(_turns.HasRoom);
        foreach (var work in works[1..]) work.End.SetResult();
        await Task.WhenAll(works.Select(work => work.Done));

        Begin("e");
        Begin("f");
        Assert.Equal(["a", "b", "c", "d", "e", "f"], _begun);
    }

    [Fact]
    public async Task What_waits_is_let_go_at_the_end_and_what_goes_on_is_not()
    {
        var works = new[] { "a", "b", "c" }.Select(Begin).ToArray();

        _turns.EndWaiting();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => works[2].Done);
        works[0].End.SetResult();
        await works[0].Done;
        Assert.Equal(["a", "b"], _begun);
    }

    private (TaskCompletionSource Begun, TaskCompletionSource End, Task Done) Begin(string name)
    {
        var (begun, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        var done = _turns.TakeAsync(async () =>
        {
            _begun.Add(name);
            begun.SetResult();
            await end.Task;
            return name;
        });
        return (begun, end, done);
    }
}
