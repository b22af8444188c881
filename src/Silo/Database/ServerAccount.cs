namespace Actors.Silo.Database;

/// <summary>
/// The user of this machine as whom the embedded PostgreSQL runs. An ordinary user runs it as himself. PostgreSQL
/// refuses to run as root, so root runs it as the owner of the cluster's folder where there is one already, else as
/// `postgres`, else as `nobody`.
/// </summary>
/// <param name="UserName">Null: the user of this process.</param>
internal sealed record ServerAccount(string? UserName)
{
    public static async Task<ServerAccount> ForAsync(string clusterFolder, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
            return new ServerAccount((string?)null);
        if (Directory.Exists(clusterFolder))
        {
            // The owner, not whom we would choose today: the user `postgres` may have come after the cluster.
            var owner = await ChildProcess.RunAsync(
                null, "/", "stat", ["-c", "%U", clusterFolder], cancellationToken);
            if (owner.ExitCode == 0 && owner.Output is not ("root" or "UNKNOWN"))
                return new ServerAccount(owner.Output);
        }

        var hasPostgres = File.ReadLines("/etc/passwd").Any(l => l.StartsWith("postgres:", StringComparison.Ordinal));
        return new ServerAccount(hasPostgres ? "postgres" : "nobody");
    }

    /// <summary>Whether the account may pass into a folder, whatever the rights of the folders above it.</summary>
    public async Task<bool> CanEnterAsync(string folder, CancellationToken cancellationToken)
    {
        if (UserName is null)
            return true;
        var entered = await ChildProcess.RunAsync(
            UserName, "/", "/bin/sh", ["-c", "cd -- \"$1\"", "sh", folder], cancellationToken);
        return entered.ExitCode == 0;
    }

    /// <summary>Gives a folder and all in it to the account.</summary>
    public async Task TakeAsync(string folder, CancellationToken cancellationToken)
    {
        if (UserName is null)
            return;
        var given = await ChildProcess.RunAsync(
            null, "/", "chown", ["-R", $"{UserName}:", folder], cancellationToken);
        if (given.ExitCode != 0)
            throw new IOException($"chown of {folder} to {UserName} failed: {given.Output}");
    }
}
