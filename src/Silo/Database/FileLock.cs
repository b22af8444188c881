using System.Diagnostics;
using Actors.Silo.CommandLine;

namespace Actors.Silo.Database;

/// <summary>
/// A lock between processes, on a file: exclusive or shared. The kernel releases it when its holder ends, however it
/// ends, so that a killed process never leaves one behind; the file itself stays and means nothing.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);
    private readonly FileStream stream;

    private FileLock(FileStream stream) => this.stream = stream;

    /// <summary>The lock, or null when any other process holds it, shared or not.</summary>
    public static FileLock? TryExclusive(string path) => TryOpen(path, FileAccess.ReadWrite, FileShare.None);

    /// <summary>Whether nobody holds it. Asking takes it for a moment.</summary>
    public static bool IsFree(string path)
    {
        using var free = TryExclusive(path);
        return free is not null;
    }

    /// <summary>The lock, or null when another process holds it exclusively.</summary>
    public static FileLock? TryShared(string path) => TryOpen(path, FileAccess.Read, FileShare.Read);

    /// <summary>Waits for the exclusive lock; calls <paramref name="onWait"/> once when it is not had soon.</summary>
    /// <exception cref="CommandFailure">It was not had within <paramref name="limit"/>.</exception>
    public static async Task<FileLock> ExclusiveAsync(
        string path, TimeSpan limit, Action onWait, CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        var told = false;
        while (true)
        {
            if (TryExclusive(path) is { } held)
                return held;
            if (waited.Elapsed > limit)
            {
                throw new CommandFailure(
                    ExitCode.AlreadyRunning,
                    $"Another command has held {path} for {limit.TotalMinutes:0} minutes: wait for it, or end it.");
            }

            if (!told && waited.Elapsed > TimeSpan.FromSeconds(1))
            {
                told = true;
                onWait();
            }

            await Task.Delay(PollInterval, cancellationToken);
        }
    }

    public void Dispose() => stream.Dispose();

    private static FileLock? TryOpen(string path, FileAccess access, FileShare share)
    {
        try
        {
            return new FileLock(new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = access,
                Share = share,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }));
        }
        // A lock that is held is a plain IOException; a folder that is missing or a full disk is one of its heirs, or
        // carries another errno (11 is EWOULDBLOCK on Linux, 35 on macOS).
        catch (IOException busy) when (busy.GetType() == typeof(IOException) && busy.HResult is 11 or 35)
        {
            return null;
        }
    }
}
