using System.Security.Cryptography;
using System.Text;

namespace Actors.Tests.Simulation.Machine;

/// <summary>
/// What happened, a line at a time, and at which step: the digest of all lines tells whether two runs were the same.
/// </summary>
internal sealed class Diary(Agenda agenda, TextWriter? trace)
{
    private const int Remembered = 60;

    private readonly IncrementalHash _digest =
        IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    private readonly Queue<string> _last = new();

    /// <summary>Counts whatever can change the database or be overtaken by a change.</summary>
    public int Step { get; private set; }

    /// <summary>The last lines, for whoever must find out why.</summary>
    public IEnumerable<string> LastLines => _last;

    public string Digest => Convert.ToHexStringLower(_digest.GetCurrentHash())[..16];

    public int NextStep() => ++Step;

    public void Tell(string what)
    {
        var line = $"{Step,6} {agenda.Now.ToString("uuuu-MM-dd HH:mm:ss.fff", null)} {what}";
        _digest.AppendData(Encoding.UTF8.GetBytes(line));
        _last.Enqueue(line);
        if (_last.Count > Remembered) _last.Dequeue();
        trace?.WriteLine(line);
    }
}
