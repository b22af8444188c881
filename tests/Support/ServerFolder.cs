using Actors.Silo.CommandLine;
using Actors.Silo.Database;

namespace Actors.Tests.Support;

/// <summary>
/// A folder for servers of this process alone, in the data folder of the checkout. It is removed when it is disposed;
/// one that a killed process has left, with servers that may still run, when the next process makes its own.
/// </summary>
public sealed class ServerFolder : IDisposable
{
    private readonly FileLock use;

    private ServerFolder(string path, FileLock use) => (Path, this.use) = (path, use);

    public string Path { get; }

    /// <param name="kind">The name of the folder above it, of which there is one in each data folder.</param>
    public static async Task<ServerFolder> MakeAsync(string kind)
    {
        var home = await EmbeddedPostgres.LocateAsync(TestServer.Options, CancellationToken.None);
        var all = Directory.CreateDirectory(System.IO.Path.Combine(home, kind)).FullName;
        foreach (var left in Directory.GetDirectories(all)) await RemoveLeftAsync(left);
        var path = System.IO.Path.Combine(all, Guid.NewGuid().ToString("N"));
        // Locked before it is there, so that nobody takes it for one that was left.
        var use = FileLock.TryExclusive(LockOf(path))
            ?? throw new InvalidOperationException($"{LockOf(path)} is held by another process.");
        Directory.CreateDirectory(path);
        return new ServerFolder(path, use);
    }

    public void Dispose()
    {
        Directory.Delete(Path, recursive: true);
        use.Dispose();
        File.Delete(LockOf(Path));
    }

    private static string LockOf(string path) => path + ".lock";

    private static async Task RemoveLeftAsync(string path)
    {
        using var free = FileLock.TryExclusive(LockOf(path));
        if (free is null) return;
        try
        {
            foreach (var server in Directory.GetDirectories(path))
                await EmbeddedPostgres.DownAsync(TestServer.Options with { Folder = server }, CancellationToken.None);
            Directory.Delete(path, recursive: true);
            File.Delete(LockOf(path));
        }
        catch (Exception error) when (error is CommandFailure or IOException)
        {
            Console.Error.WriteLine($"{path}, which an earlier run has left, cannot be removed: {error.Message}");
        }
    }
}
