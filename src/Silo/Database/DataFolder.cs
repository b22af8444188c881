using System.Security.Cryptography;
using System.Text;
using Actors.Silo.CommandLine;

namespace Actors.Silo.Database;

/// <summary>
/// The folder of one embedded database, and the names of what lies in it:
/// <list type="bullet">
/// <item>`postgres/`: the cluster, PostgreSQL's own data folder, with its `server.log`;</item>
/// <item>`embedded.json`: port and passwords, readable by the owner only;</item>
/// <item>`start.lock`, `use.lock`, `up.lock`: who starts it, who uses it, which `up` serves it;</item>
/// <item>`up.txt`: process and address of that `up`; `stop-when-unused`: the last command that uses it stops it.</item>
/// </list>
/// </summary>
/// <param name="Path">Absolute, with links resolved, as PostgreSQL itself names it in its pid file.</param>
internal sealed record DataFolder(string Path)
{
    private const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public string Cluster => In("postgres");

    public string ServerLog => System.IO.Path.Combine(Cluster, "server.log");

    public string State => In("embedded.json");

    public string StartLock => In("start.lock");

    public string UseLock => In("use.lock");

    public string UpLock => In("up.lock");

    public string UpNote => In("up.txt");

    public string StopWhenUnused => In("stop-when-unused");

    public static DataFolder At(string path) => new(Resolve(System.IO.Path.GetFullPath(path)));

    /// <summary>
    /// `.actors` of the checkout that this program was built in, or of the current folder when there is no checkout.
    /// As root, where the account that runs PostgreSQL cannot get into the checkout (/root is closed to others), a
    /// folder of the checkout's own under /var/lib/actors.
    /// </summary>
    public static async Task<DataFolder> DefaultAsync(CancellationToken cancellationToken)
    {
        var home = Resolve(Checkout() ?? Directory.GetCurrentDirectory());
        var folder = new DataFolder(System.IO.Path.Combine(home, ".actors"));
        var account = await ServerAccount.ForAsync(folder.Cluster, cancellationToken);
        if (await account.CanEnterAsync(home, cancellationToken))
            return folder;
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(home)))[..8];
        return new DataFolder($"/var/lib/actors/{System.IO.Path.GetFileName(home)}-{digest}");
    }

    /// <summary>A path in this folder.</summary>
    public string In(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Makes the folder where it is missing, and sees that it can be written.</summary>
    /// <exception cref="CommandFailure">It cannot be made or written.</exception>
    public void Prepare()
    {
        try
        {
            CreateMissing(Path);
            using var probe = new FileStream(In(".writable"), new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite,
                Options = FileOptions.DeleteOnClose,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(
                ExitCode.DataFolderUnusable,
                $"The data folder {Path} cannot be written by {Environment.UserName} ({e.Message.TrimEnd('.')}): name "
                + "another one with --data DIR or ACTORS_DATA, or give this one to that user.",
                e);
        }
    }

    /// <summary>Looks upwards from this program for the folder that holds the script and the solution.</summary>
    internal static string? Checkout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "Actors.sln")))
                return folder.FullName;
        }

        return null;
    }

    // Every folder that we make is passable for others, whatever the umask: as root, PostgreSQL runs as somebody else.
    // What is secret inside is closed by itself.
    private static void CreateMissing(string path)
    {
        if (Directory.Exists(path))
            return;
        if (System.IO.Path.GetDirectoryName(path) is { } parent)
            CreateMissing(parent);
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, Passable);
    }

    private static string Resolve(string path)
    {
        var parent = System.IO.Path.GetDirectoryName(path);
        if (parent is null)
            return path;
        var here = System.IO.Path.Combine(Resolve(parent), System.IO.Path.GetFileName(path));
        // What does not exist yet is no link.
        return new DirectoryInfo(here).LinkTarget is not null
            && Directory.ResolveLinkTarget(here, returnFinalTarget: true) is { } target
            ? Resolve(target.FullName)
            : here;
    }
}
