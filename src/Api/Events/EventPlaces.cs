namespace Actors.Api.Events;

/// <summary>Who holds how many of the streams of this process: no caller takes all of them.</summary>
internal sealed class EventPlaces(EventLimits limits)
{
    private readonly Lock _door = new();
    private readonly Dictionary<string, int> _held = new(StringComparer.Ordinal);
    private int _all;

    /// <summary>A place among the streams, to be disposed of; null where none is left.</summary>
    /// <param name="caller">For whom.</param>
    /// <param name="isAllTheirs">Where there is none: whether the caller itself holds as many as one may.</param>
    public IDisposable? TryEnter(string caller, out bool isAllTheirs)
    {
        lock (_door)
        {
            var held = _held.GetValueOrDefault(caller);
            isAllTheirs = held >= limits.MostStreamsOfOne;
            if (isAllTheirs || _all >= limits.MostStreams) return null;
            _held[caller] = held + 1;
            _all++;
            return new Place(this, caller);
        }
    }

    private void Leave(string caller)
    {
        lock (_door)
        {
            _all--;
            if (--_held[caller] == 0) _held.Remove(caller);
        }
    }

    private sealed class Place(EventPlaces places, string caller) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0) places.Leave(caller);
        }
    }
}
