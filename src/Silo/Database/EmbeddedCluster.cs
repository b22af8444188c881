using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Actors.Silo.CommandLine;

namespace Actors.Silo.Database;

/// <summary>
/// The cluster in a data folder: made, started and stopped with PostgreSQL's own programs. Whoever calls holds the
/// folder's start lock; nothing here asks whether others use the cluster.
/// </summary>
internal sealed class EmbeddedCluster(DataFolder folder, EmbeddedPostgresOptions options)
{
    private const int StartAttempts = 3;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    // A server that comes back from a crash replays its log first, which may take a while; so may stopping a busy one.
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan StopLimit = TimeSpan.FromMinutes(1);
    private const long ServerLogLimitBytes = 16 * 1024 * 1024;

    /// <summary>The major version of the cluster that is there, or null when there is none yet.</summary>
    /// <exception cref="CommandFailure">The folder holds something that is no cluster.</exception>
    public int? Major()
    {
        var version = Path.Combine(folder.Cluster, "PG_VERSION");
        if (File.Exists(version) && int.TryParse(File.ReadAllText(version).Trim(), out var major))
            return major;
        if (!Directory.Exists(folder.Cluster) || !Directory.EnumerateFileSystemEntries(folder.Cluster).Any())
            return null;
        throw new CommandFailure(
            ExitCode.DataFolderUnusable,
            $"{folder.Cluster} holds files but no PostgreSQL cluster: move them away, or name another data folder with "
            + "--data DIR.");
    }

    /// <summary>
    /// Makes the cluster beside its place and moves it there when it is whole, so that a kill in the middle leaves
    /// nothing that looks like a cluster; what earlier kills left is removed.
    /// </summary>
    public async Task CreateAsync(
        PostgresInstallation programs, ServerAccount account, EmbeddedState state, CancellationToken cancellationToken)
    {
        RemoveDrafts();
        var draft = $"postgres.new-{Guid.NewGuid():N}";
        Directory.CreateDirectory(folder.In(draft), UnixFileMode.UserRead | UnixFileMode.UserWrite
            | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(folder.In($"{draft}/password"), state.SuperuserPassword, cancellationToken);
        await account.TakeAsync(folder.In(draft), cancellationToken);
        // Paths are relative to the data folder: whatever stands in its own name, no program has to quote it.
        string[] arguments =
        [
            "--pgdata", $"{draft}/data", "--username", "postgres", "--pwfile", $"{draft}/password",
            "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-instructions",
        ];
        if (!options.IsDurable)
            arguments = [.. arguments, "--no-sync"];
        var made = await ChildProcess.RunAsync(
            account.UserName, folder.Path, programs.InitDb, arguments, cancellationToken);
        if (made.ExitCode != 0)
        {
            throw new CommandFailure(
                ExitCode.DataFolderUnusable,
                $"initdb of PostgreSQL {programs.Major} could not make a database cluster in {folder.Path}; it said:\n"
                + made.Output);
        }

        if (Directory.Exists(folder.Cluster))
            Directory.Delete(folder.Cluster);
        Directory.Move(folder.In($"{draft}/data"), folder.Cluster);
        Directory.Delete(folder.In(draft), recursive: true);
    }

    /// <summary>Starts the server and returns its port: the one asked for when it is free, else a free one.</summary>
    /// <exception cref="CommandFailure">It does not start; the message carries the end of its log.</exception>
    public async Task<int> StartAsync(
        PostgresInstallation programs, ServerAccount account, int wantedPort, CancellationToken cancellationToken)
    {
        // Whoever calls has seen that no server runs here. PostgreSQL itself would refuse a file whose process number
        // now belongs to any other process of the same user.
        File.Delete(Postmaster.PidFile(folder.Cluster));
        RemoveDrafts();
        RotateLog();
        for (var attempt = 1; ; attempt++)
        {
            var port = attempt == 1 && IsFree(wantedPort) ? wantedPort : AnyFreePort();
            if (await TryStartAsync(programs, account, port, cancellationToken))
                return port;
            // The port may have been taken since we looked, or children of a server that was killed are still leaving.
            if (attempt < StartAttempts)
                continue;
            throw new CommandFailure(
                ExitCode.DatabaseUnreachable,
                $"The embedded PostgreSQL in {folder.Path} does not start. The end of {folder.ServerLog}:\n"
                + LogTail());
        }
    }

    /// <summary>Waits while a server that somebody else started comes up or goes down.</summary>
    /// <returns>Its last state: ready, gone, or running elsewhere.</returns>
    public async Task<Postmaster> SettleAsync(CancellationToken cancellationToken)
    {
        var waited = Stopwatch.StartNew();
        while (true)
        {
            var seen = Postmaster.Look(folder.Cluster);
            if (seen.Phase is not (PostmasterPhase.Starting or PostmasterPhase.Stopping))
                return seen;
            if (waited.Elapsed > StartLimit)
            {
                throw new CommandFailure(
                    ExitCode.DatabaseUnreachable,
                    $"The embedded PostgreSQL (process {seen.ProcessId}) has been "
                    + $"{seen.Phase.ToString().ToLowerInvariant()} for {StartLimit.TotalMinutes:0} minutes: "
                    + $"see {folder.ServerLog}.");
            }

            await Task.Delay(PollInterval, cancellationToken);
        }
    }

    /// <summary>Stops a server: open transactions are rolled back, all else is written.</summary>
    public async Task StopAsync(Postmaster running, CancellationToken cancellationToken)
    {
        // SIGINT is PostgreSQL's fast shutdown. `kill` is a part of the shell; .NET can only kill outright.
        var id = running.ProcessId.ToString(CultureInfo.InvariantCulture);
        await ChildProcess.RunAsync(null, "/", "/bin/sh", ["-c", "kill -INT \"$1\"", "sh", id], cancellationToken);
        var waited = Stopwatch.StartNew();
        while (Postmaster.Look(folder.Cluster) is var seen && seen.ProcessId == running.ProcessId)
        {
            if (waited.Elapsed > StopLimit)
            {
                throw new CommandFailure(
                    ExitCode.Unexpected,
                    $"The embedded PostgreSQL (process {id}) did not stop within {StopLimit.TotalSeconds:0} s: see "
                    + $"{folder.ServerLog}, or end it with `kill -QUIT {id}`.");
            }

            await Task.Delay(PollInterval, cancellationToken);
        }
    }

    // An initdb may outlive the command that was killed, and write on while we delete: it then fails and goes. What it
    // leaves is in nobody's way, and the next start removes it.
    private void RemoveDrafts()
    {
        foreach (var draft in Directory.GetDirectories(folder.Path, "postgres.new-*"))
        {
            try
            {
                Directory.Delete(draft, recursive: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                options.Report($"{draft}, which a killed initdb left, is not removed yet ({e.Message}).");
            }
        }
    }

    private async Task<bool> TryStartAsync(
        PostgresInstallation programs, ServerAccount account, int port, CancellationToken cancellationToken)
    {
        // pg_ctl puts the server into a session of its own: Ctrl-C in our terminal does not reach it, it outlives us,
        // and it is init's child, so no zombie of ours.
        using var starter = ChildProcess.Start(
            account.UserName,
            folder.Path,
            programs.PgCtl,
            "start", "--silent", "--wait", "--timeout", StartLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            "--pgdata", "postgres", "--log", "postgres/server.log", "--options",
            string.Join(' ', ServerSettings(port)));
        var finished = ChildProcess.FinishAsync(starter, cancellationToken);
        // pg_ctl looks ten times a second; we look more often, and leave it to notice a server that died.
        while (!finished.IsCompleted)
        {
            if (Postmaster.Look(folder.Cluster).Phase == PostmasterPhase.Ready)
                return true;
            await Task.WhenAny(finished, Task.Delay(PollInterval, cancellationToken));
        }

        return (await finished).ExitCode == 0;
    }

    // A shell reads these, so they hold no character that means something to it.
    private IEnumerable<string> ServerSettings(int port)
    {
        string[] durable = [];
        // Test processes share one server, each with pools of its own; the later of two values counts.
        string[] forgetful =
            ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=500"];
        string[] settings =
        [
            $"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200",
            .. options.IsDurable ? durable : forgetful,
        ];
        return settings.Select(s => $"-c {s}");
    }

    private static bool IsFree(int port)
    {
        if (port == 0)
            return false;
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int AnyFreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void RotateLog()
    {
        var log = new FileInfo(folder.ServerLog);
        if (log.Exists && log.Length > ServerLogLimitBytes)
            log.MoveTo(folder.ServerLog + ".1", overwrite: true);
    }

    private string LogTail() =>
        File.Exists(folder.ServerLog) ? string.Join('\n', File.ReadLines(folder.ServerLog).TakeLast(8)) : "(none)";
}
