using Actors.Grains.Interfaces;
using NodaTime;

namespace Actors.Grains.Jobs;

/// <summary>Asks many agencies' grains to bring themselves up to date, some hundred at once.</summary>
internal sealed class AgencyDispatch(IGrainFactory grains, GrainOptions options)
{
    /// <summary>
    /// Runs in the turns of the grain that calls it, and ends when every agency has answered. Answers the failures that
    /// the ledger does not know.
    /// </summary>
    public Task<IReadOnlyList<AgencyFailure>> AskAsync(
        IReadOnlyList<AgencyId> agencies, RunRequest request, CancellationToken stopping) =>
        Begin(agencies, request, FailuresToTell.Unrecorded, new AskedAgencies(default), [], stopping).Answered;

    /// <summary>The same, for who does not wait for each of them.</summary>
    /// <param name="agencies">Whom to ask.</param>
    /// <param name="request">For what.</param>
    /// <param name="told">Which failures to answer with.</param>
    /// <param name="asked">They, until they have answered.</param>
    /// <param name="underWay">
    /// All of them are in it until they have answered. Of one that is in it already no answer is awaited any more: what
    /// was asked of a silo that has died meanwhile may be lost.
    /// </param>
    /// <param name="stopping">Asks no more of them.</param>
    public AgencyAsking Begin(
        IReadOnlyList<AgencyId> agencies, RunRequest request, FailuresToTell told, AskedAgencies asked,
        Dictionary<AgencyId, AskedAgencies> underWay, CancellationToken stopping)
    {
        var failures = new List<AgencyFailure>();
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var next = 0;
        var turns = new List<Task>();
        var asking = new AgencyAsking { Sent = sent.Task };
        foreach (var agency in agencies)
        {
            if (underWay.TryGetValue(agency, out var before)) before.LetGo(agency);
            underWay[agency] = asked;
        }

        asking.AskMore = AddPlaces;
        asking.Answered = AskAllAsync();
        return asking;

        async Task<IReadOnlyList<AgencyFailure>> AskAllAsync()
        {
            try
            {
                AddPlaces();
                for (var turn = 0; turn < turns.Count; turn++) await turns[turn];
            }
            finally
            {
                sent.TrySetResult();
            }

            return failures;
        }

        void AddPlaces()
        {
            var places = Math.Min(options.AgenciesInFlight, agencies.Count - next);
            for (var place = 0; place < places; place++) turns.Add(AskInTurnAsync());
        }

        // Runs in the calling grain's turns, so that the lists and the place in them need no lock. A semaphore's queue
        // would be served outside of those turns.
        async Task AskInTurnAsync()
        {
            while (next < agencies.Count)
            {
                stopping.ThrowIfCancellationRequested();
                var agency = agencies[next++];
                if (next == agencies.Count) sent.TrySetResult();
                var answer = AskOneAsync(agency);
                if (await asked.IsLetGoAsync(agency)) continue;
                var (isDone, unserved) = await answer;
                if (isDone) asking.Done++;
                else asking.Failed++;
                if (underWay.GetValueOrDefault(agency) == asked) underWay.Remove(agency);
                if (unserved is null) asked.NoteAnswer();
                else asked.NoteUnserved(unserved);
            }
        }

        async Task<(bool IsDone, string? Unserved)> AskOneAsync(AgencyId agency)
        {
            string? unserved = null;
            try
            {
                var result = await grains.GetGrain<IAgencyGrain>(agency.Value).BringUpToDateAsync(request);
                if (result.Outcome != AgencyRunOutcome.Failed) return (true, null);
                if (result.Job is null && result.MayPass) unserved = result.Error;
                Note(result.Error ?? "unknown error", isRecorded: result.Job is not null);
            }
            catch (Exception error) when (!stopping.IsCancellationRequested)
            {
                // Its own text may name hosts, and whoever asked may not be one to know them.
                if (error is OrleansException or TimeoutException) unserved = error.Message;
                Note($"its grain did not answer ({error.GetType().Name})", isRecorded: false);
            }
            finally
            {
                asked.NoteEnd(agency);
            }

            return (false, unserved);

            void Note(string error, bool isRecorded)
            {
                if (told == FailuresToTell.Unrecorded ? !isRecorded : unserved is null)
                    failures.Add(new AgencyFailure(agency, error));
            }
        }
    }
}

/// <summary>Which failures whoever asks agencies wants to be answered with.</summary>
internal enum FailuresToTell
{
    /// <summary>Those that the ledger does not know: a run that somebody has asked for tells of each.</summary>
    Unrecorded,

    /// <summary>
    /// All but those that may pass, and that the ledger does not know: who asks again in a moment has no failure to
    /// tell, or would tell a new one every time.
    /// </summary>
    Lasting,
}

/// <summary>When agencies were asked, and which of them somebody has asked again since.</summary>
/// <param name="at">By the clock by which it is decided whether to ask again.</param>
/// <param name="lookAgain">One that somebody has passed over has answered; it may have changed meanwhile.</param>
/// <param name="tryAgain">One could not be served, by what may pass, and nothing says when it will be.</param>
internal sealed class AskedAgencies(Instant at, Action? lookAgain = null, Action<string>? tryAgain = null)
{
    private readonly Dictionary<AgencyId, TaskCompletionSource<bool>> _waiting = [];
    private bool _arePassedOver;

    public Instant At => at;

    /// <summary>Whoever looks for agencies with work leaves out those that have not answered yet.</summary>
    public void PassOver() => _arePassedOver = true;

    public void NoteAnswer()
    {
        if (_arePassedOver) lookAgain?.Invoke();
    }

    /// <summary>It is not set aside either, and the ledger knows nothing of it.</summary>
    public void NoteUnserved(string error) => tryAgain?.Invoke(error);

    /// <summary>
    /// Ends when it was asked to the end, with false; or when nobody need wait for that any more, with true. One task,
    /// not the first of two: to wait for that is a thread of the pool's work, outside of the grain's turns.
    /// </summary>
    public Task<bool> IsLetGoAsync(AgencyId agency) => Waiting(agency).Task;

    public void LetGo(AgencyId agency) => Waiting(agency).TrySetResult(true);

    /// <summary>It has answered, or will not.</summary>
    public void NoteEnd(AgencyId agency) => Waiting(agency).TrySetResult(false);

    private TaskCompletionSource<bool> Waiting(AgencyId agency)
    {
        if (!_waiting.TryGetValue(agency, out var waiting))
        {
            waiting = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add(agency, waiting);
        }

        return waiting;
    }
}

/// <summary>Agencies that are being asked.</summary>
internal sealed class AgencyAsking
{
    /// <summary>Ends when the last of them is asked: all but some hundred have answered.</summary>
    public required Task Sent { get; init; }

    /// <summary>Asks as many more at once: none of those that were asked answers.</summary>
    public Action AskMore { get; set; } = null!;

    /// <summary>Ends when all have answered, with the failures.</summary>
    public Task<IReadOnlyList<AgencyFailure>> Answered { get; set; } = null!;

    /// <summary>How many have been brought up to date so far.</summary>
    public int Done { get; set; }

    /// <summary>How many could not be, so far.</summary>
    public int Failed { get; set; }
}
