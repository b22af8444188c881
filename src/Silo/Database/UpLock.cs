using System.Globalization;
using Actors.Silo.CommandLine;

namespace Actors.Silo.Database;

/// <summary>
/// Says that an `up` serves an embedded database, of which there can be one, and, in a note beside the lock, which one
/// it is. The note of an `up` that was killed stays; without the lock it means nothing.
/// </summary>
internal sealed class UpLock : IDisposable
{
    private const string AnnouncedAt = " at ";
    private readonly DataFolder folder;
    private readonly FileLock held;

    private UpLock(DataFolder folder, FileLock held)
    {
        this.folder = folder;
        this.held = held;
        Write("");
    }

    /// <exception cref="CommandFailure">Another process has it; the message says which.</exception>
    public static UpLock Take(DataFolder folder)
    {
        if (FileLock.TryExclusive(folder.UpLock) is { } held)
            return new UpLock(folder, held);
        var who = File.Exists(folder.UpNote) ? File.ReadAllText(folder.UpNote).Trim() : "another process";
        throw new CommandFailure(
            ExitCode.AlreadyRunning,
            $"An `up` ({who}) serves the embedded database in {folder.Path}: stop it with Ctrl-C or SIGTERM, or name "
            + "another data folder with --data DIR.");
    }

    public static bool IsTaken(DataFolder folder) => !FileLock.IsFree(folder.UpLock);

    /// <summary>For those who come to an `up` that is ready. To be called under the start lock.</summary>
    /// <exception cref="CommandFailure">None is, or not yet.</exception>
    public static void RequireReady(DataFolder folder)
    {
        if (IsTaken(folder) && File.Exists(folder.UpNote)
            && File.ReadAllText(folder.UpNote).Contains(AnnouncedAt, StringComparison.Ordinal))
            return;
        throw new CommandFailure(
            ExitCode.DatabaseUnreachable,
            $"No `up` serves the embedded database in {folder.Path} yet: start one with `actors up`, or name a "
            + "database with --database.");
    }

    /// <summary>Adds where the `up` is to be found.</summary>
    public void Announce(Uri address) => Write($"{AnnouncedAt}{address.ToString().TrimEnd('/')}");

    public void Dispose()
    {
        File.Delete(folder.UpNote);
        held.Dispose();
    }

    private void Write(string suffix) => File.WriteAllText(
        folder.UpNote, string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId}{suffix}"));
}
