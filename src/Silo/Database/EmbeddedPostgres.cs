using Actors.Silo.CommandLine;
using Npgsql;

namespace Actors.Silo.Database;

/// <summary>
/// A PostgreSQL of our own for whoever names no database. This is its operator's manual.
/// <para>
/// <b>Where.</b> In a data folder: `--data DIR`, else ACTORS_DATA, else `.actors` in the checkout (for root, where the
/// user who runs PostgreSQL cannot get into the checkout, a folder under /var/lib/actors). See <see cref="DataFolder"/>
/// for what lies in it. Deleting the folder deletes the database; nothing is kept elsewhere.
/// </para>
/// <para>
/// <b>How.</b> A server that runs is used; else a cluster that is there is started; else one is made, with the newest
/// PostgreSQL (15 or later) on PATH or in the distribution's folder, and where there is none, it is installed
/// (<see cref="PostgresInstaller"/>). A cluster is only ever run by its own major version. It listens on 127.0.0.1
/// only, on a port that stays the same while it is free, has no Unix socket, and asks every login for a password
/// (SCRAM). As root it runs as another user (<see cref="ServerAccount"/>). No other cluster of the machine is touched.
/// </para>
/// <para>
/// <b>Logins.</b> The superuser `postgres` is used here only; `actors_owner` owns database `actors` and may create
/// roles; `actors_silo` and `actors_api` are made by the migrations, and <see cref="EnsureLoginPasswordsAsync"/> then
/// gives them their passwords. All passwords are random and lie in `embedded.json`, mode 0600.
/// </para>
/// <para>
/// <b>Who stops it.</b> An `up` does when it ends. A command does if commands alone started it and no other still works
/// on it. `database` leaves it up, for the client that is about to connect, and `down` stops what is left: by that, or
/// by an `up` that was killed. When somebody else still works on it, the last one stops it.
/// </para>
/// <para>
/// <b>Limits.</b> 200 connections. Starting waits up to 5 minutes (recovery after a crash), stopping up to 1 minute.
/// A kill at any moment leaves nothing that the next start stumbles over: locks are the kernel's, a cluster appears in
/// its place only when it is whole, and a stale pid file is recognised by what its process really is.
/// </para>
/// </summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    // Installing PostgreSQL happens under this lock.
    private static readonly TimeSpan StartLockLimit = TimeSpan.FromMinutes(15);
    private readonly DataFolder folder;
    private readonly EmbeddedPostgresOptions options;
    private readonly EmbeddedCluster cluster;
    private readonly FileLock use;
    private readonly UpLock? serving;
    private EmbeddedState state = EmbeddedState.Create();

    private EmbeddedPostgres(DataFolder folder, EmbeddedPostgresOptions options, FileLock use, UpLock? serving)
    {
        this.folder = folder;
        this.options = options;
        this.use = use;
        this.serving = serving;
        cluster = new EmbeddedCluster(folder, options);
    }

    /// <summary>On 127.0.0.1.</summary>
    public int Port => state.Port;

    public string Folder => folder.Path;

    /// <summary>Whether this call started the server, rather than finding it up.</summary>
    public bool WasStarted { get; private set; }

    /// <summary>Whether an `up`, this one or another, served this database when it was started or found.</summary>
    public bool IsServed { get; private set; }

    /// <summary>Whether nobody else, no silo either, worked on it when it was started or found.</summary>
    public bool IsSoleUser { get; private init; }

    /// <summary>Owns the database; may create roles, is no superuser.</summary>
    public string OwnerConnectionString => Connection(EmbeddedLogins.Owner, state.OwnerPassword);

    /// <summary>Works once the migrations are up and <see cref="EnsureLoginPasswordsAsync"/> was called.</summary>
    public string SiloConnectionString => Connection(EmbeddedLogins.Silo, state.SiloPassword);

    /// <summary>Works once the migrations are up and <see cref="EnsureLoginPasswordsAsync"/> was called.</summary>
    public string ApiConnectionString => Connection(EmbeddedLogins.Api, state.ApiPassword);

    /// <summary>The owner's connection as a postgres:// URL, for psql and other clients.</summary>
    public string OwnerUrl => DatabaseUrl.Format(new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = Port,
        Username = EmbeddedLogins.Owner,
        Password = state.OwnerPassword,
        Database = EmbeddedLogins.Database,
    });

    internal string SuperuserConnectionString => Connection("postgres", state.SuperuserPassword, "postgres");

    /// <summary>Starts or finds the embedded database. Dispose to let go of it, which may stop it.</summary>
    /// <exception cref="CommandFailure">It cannot be had; the message says why and what to do.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        EmbeddedPostgresOptions options, CancellationToken cancellationToken)
    {
        var folder = await FolderOfAsync(options, cancellationToken);
        folder.Prepare();
        using var starting = await LockStartAsync(folder, options.Report, cancellationToken);
        if (options.Purpose == EmbeddedPurpose.Join) UpLock.RequireReady(folder);
        var isSoleUser = FileLock.IsFree(folder.UseLock);
        var serving = options.Purpose == EmbeddedPurpose.Serve ? UpLock.Take(folder) : null;
        // It is taken exclusively only under the start lock, which we hold, so it is to be had.
        var use = FileLock.TryShared(folder.UseLock)
            ?? throw new InvalidOperationException($"{folder.UseLock} is held against the rules.");
        var embedded = new EmbeddedPostgres(folder, options, use, serving) { IsSoleUser = isSoleUser };
        try
        {
            await embedded.BringUpAsync(cancellationToken);
            return embedded;
        }
        catch
        {
            await embedded.LetGoAsync();
            throw;
        }
    }

    /// <summary>Stops a server that nobody uses any more.</summary>
    /// <returns>The id of the process that was stopped; null when none was running.</returns>
    /// <exception cref="CommandFailure">An `up` serves it, or a command works on it.</exception>
    public static async Task<int?> DownAsync(EmbeddedPostgresOptions options, CancellationToken cancellationToken)
    {
        var folder = await FolderOfAsync(options, cancellationToken);
        if (!Directory.Exists(folder.Cluster))
            return null;
        folder.Prepare();
        using var starting = await LockStartAsync(folder, options.Report, cancellationToken);
        using var serving = UpLock.Take(folder);
        using var alone = FileLock.TryExclusive(folder.UseLock) ?? throw new CommandFailure(
            ExitCode.AlreadyRunning,
            $"A command is working on the embedded database in {folder.Path}: wait for it to end, then try again.");
        var cluster = new EmbeddedCluster(folder, options);
        var running = await cluster.SettleAsync(cancellationToken);
        if (running.Phase != PostmasterPhase.Ready)
            return null;
        await cluster.StopAsync(running, cancellationToken);
        File.Delete(folder.StopWhenUnused);
        return running.ProcessId;
    }

    /// <summary>The data folder that these options mean, whether it exists or not.</summary>
    public static async Task<string> LocateAsync(
        EmbeddedPostgresOptions options, CancellationToken cancellationToken) =>
        (await FolderOfAsync(options, cancellationToken)).Path;

    /// <summary>Lets a second `up` say where the first one, this one, is to be found.</summary>
    public void Announce(Uri address) => serving?.Announce(address);

    /// <summary>Gives the logins of silo and API their passwords, as far as the migrations have made them.</summary>
    public Task EnsureLoginPasswordsAsync(CancellationToken cancellationToken) =>
        EmbeddedLogins.EnsurePasswordsAsync(SuperuserConnectionString, state, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        using var starting = await LockStartAsync(folder, options.Report, CancellationToken.None);
        await LetGoAsync();
    }

    private static async Task<DataFolder> FolderOfAsync(
        EmbeddedPostgresOptions options, CancellationToken cancellation) =>
        options.Folder is { } path ? DataFolder.At(path) : await DataFolder.DefaultAsync(cancellation);

    private static Task<FileLock> LockStartAsync(
        DataFolder folder, Action<string> report, CancellationToken cancellationToken) =>
        FileLock.ExclusiveAsync(
            folder.StartLock,
            StartLockLimit,
            () => report($"Waiting for another command that starts or stops the database in {folder.Path} …"),
            cancellationToken);

    private async Task BringUpAsync(CancellationToken cancellationToken)
    {
        // Asking takes the lock for a moment; an `up` that starts does not mind, since we hold the start lock.
        IsServed = serving is not null || UpLock.IsTaken(folder);
        var running = await cluster.SettleAsync(cancellationToken);
        if (running.Phase == PostmasterPhase.RunsElsewhere)
        {
            throw new CommandFailure(
                ExitCode.DataFolderUnusable,
                $"{folder.Path} was copied from {Path.GetDirectoryName(running.RunsIn)} while PostgreSQL (process "
                + $"{running.ProcessId}) was running there, so it is no sound copy: stop that one and copy again, or "
                + "name another data folder with --data DIR.");
        }

        if (running.Phase == PostmasterPhase.Ready)
            await TakeOverAsync(running, cancellationToken);
        else
            await StartServerAsync(cancellationToken);
        if (!state.IsProvisioned)
        {
            await EmbeddedLogins.ProvisionAsync(
                SuperuserConnectionString, state.OwnerPassword, options.OwnerMayCreateDatabases, cancellationToken);
            state = state with { IsProvisioned = true };
            state.Save(folder);
        }

        if (options.Purpose is EmbeddedPurpose.Serve or EmbeddedPurpose.LeaveRunning)
            File.Delete(folder.StopWhenUnused);
    }

    private async Task TakeOverAsync(Postmaster running, CancellationToken cancellationToken)
    {
        state = LoadState() with { Port = running.Port };
        try
        {
            await using var connection = OwnConnection.To(SuperuserConnectionString);
            await connection.OpenAsync(cancellationToken);
        }
        catch (NpgsqlException e)
        {
            throw new CommandFailure(
                ExitCode.DatabaseUnreachable,
                $"The embedded PostgreSQL (process {running.ProcessId}, port {running.Port}) runs but does not let us "
                + $"in ({e.Message}): stop it with `actors down`, or see {folder.ServerLog}.",
                e);
        }
    }

    private async Task StartServerAsync(CancellationToken cancellationToken)
    {
        var account = await ServerAccount.ForAsync(folder.Cluster, cancellationToken);
        if (!await account.CanEnterAsync(folder.Path, cancellationToken))
        {
            throw new CommandFailure(
                ExitCode.DataFolderUnusable,
                $"PostgreSQL does not run as root, and {account.UserName}, as whom it would run, cannot get into "
                + $"{folder.Path} because a folder above it is closed to others: name another data folder with --data "
                + "DIR, such as one under /var/lib.");
        }

        var major = cluster.Major();
        var programs = major is { } wanted
            ? await PostgresInstallation.OfMajorAsync(wanted, folder, cancellationToken)
            : await PostgresInstaller.ObtainAsync(options.Report, cancellationToken);
        if (major is null)
            await CreateAsync(programs, account, cancellationToken);
        else
            state = LoadState();
        // Before the start, so that a kill in between leaves no server that nobody would stop.
        if (options.Purpose == EmbeddedPurpose.Command)
            await File.WriteAllBytesAsync(folder.StopWhenUnused, [], cancellationToken);
        var port = await cluster.StartAsync(programs, account, state.Port, cancellationToken);
        WasStarted = true;
        if (port != state.Port)
        {
            state = state with { Port = port };
            state.Save(folder);
        }
    }

    private async Task CreateAsync(
        PostgresInstallation programs, ServerAccount account, CancellationToken cancellationToken)
    {
        options.Report($"Making a private PostgreSQL {programs.Major} database in {folder.Path} …");
        // Saved first: a cluster whose password nobody knows would be of no use.
        state = (EmbeddedState.Load(folder) ?? EmbeddedState.Create()) with { IsProvisioned = false };
        state.Save(folder);
        await cluster.CreateAsync(programs, account, state, cancellationToken);
    }

    private EmbeddedState LoadState() => EmbeddedState.Load(folder) ?? throw new CommandFailure(
        ExitCode.DataFolderUnusable,
        $"{folder.State}, which holds the passwords of the database in {folder.Cluster}, is missing: restore it, or "
        + "name another data folder with --data DIR.");

    /// <summary>Gives up our locks and stops the server if that falls to us. The start lock is held.</summary>
    private async Task LetGoAsync()
    {
        use.Dispose();
        serving?.Dispose();
        if (serving is null && !File.Exists(folder.StopWhenUnused))
            return;
        using var alone = FileLock.TryExclusive(folder.UseLock);
        if (alone is null)
        {
            await File.WriteAllBytesAsync(folder.StopWhenUnused, []);
            return;
        }

        var running = await cluster.SettleAsync(CancellationToken.None);
        if (running.Phase == PostmasterPhase.Ready)
            await cluster.StopAsync(running, CancellationToken.None);
        File.Delete(folder.StopWhenUnused);
    }

    private string Connection(string login, string password, string database = EmbeddedLogins.Database) =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = Port,
            Username = login,
            Password = password,
            Database = database,
            ApplicationName = "actors",
            // On loopback neither adds anything but a round trip for each new connection.
            SslMode = SslMode.Disable,
            GssEncryptionMode = GssEncryptionMode.Disable,
        }.ConnectionString;
}
