using System.Diagnostics;
using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Npgsql;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>Who holds the embedded database, who stops it, and what is left after a kill.</summary>
public sealed class EmbeddedSharingTests
{
    [Fact]
    public async Task A_killed_up_leaves_a_server_that_the_next_command_uses_and_down_stops()
    {
        await using var folder = new EmbeddedFolder();
        using (var up = ChildProgram.Holder(folder.Path, "Serve"))
        {
            await up.ReadLineAsync();
            await up.KillAsync();
        }

        var server = folder.ServerProcess;
        Assert.Equal(1, await EmbeddedFolder.AskAsync(await folder.DatabaseUrlAsync(), "SELECT 1"));
        Assert.Equal(server, folder.ServerProcess);

        var down = await folder.DownAsync();
        Assert.Equal($"Stopped the embedded PostgreSQL (process {server}) in {folder.Path}.", down.Output);
        Assert.False(folder.IsServerUp);
        Assert.Equal($"No embedded PostgreSQL is running in {folder.Path}.", (await folder.DownAsync()).Output);
    }

    [Fact]
    public async Task A_second_up_is_refused_and_told_who_is_first_and_so_is_down()
    {
        await using var folder = new EmbeddedFolder();
        using var first = ChildProgram.Holder(folder.Path, "Serve");
        await first.ReadLineAsync();

        using var second = ChildProgram.Holder(folder.Path, "Serve");
        var refused = await second.FinishAsync();
        var down = await folder.DownAsync();

        Assert.Equal((int)ExitCode.AlreadyRunning, refused.ExitCode);
        Assert.Contains($"process {first.Id}", refused.Error, StringComparison.Ordinal);
        Assert.Equal((int)ExitCode.AlreadyRunning, down.ExitCode);
        Assert.True(folder.IsServerUp);

        Assert.Equal(0, (await first.FinishAsync()).ExitCode);
        Assert.False(folder.IsServerUp);
    }

    [Fact]
    public async Task A_second_up_is_told_the_address_of_the_first()
    {
        await using var folder = new EmbeddedFolder();
        await using var first = await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions { Folder = folder.Path, Purpose = EmbeddedPurpose.Serve },
            CancellationToken.None);
        first.Announce(new Uri("http://127.0.0.1:5080"));

        using var second = ChildProgram.Holder(folder.Path, "Serve");

        Assert.Contains(
            $"(process {Environment.ProcessId} at http://127.0.0.1:5080)",
            (await second.FinishAsync()).Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_of_the_commands_that_started_it_stops_it()
    {
        await using var folder = new EmbeddedFolder();
        using var first = ChildProgram.Holder(folder.Path, "Command");
        await first.ReadLineAsync();
        using var second = ChildProgram.Holder(folder.Path, "Command");
        var connectionString = await second.ReadLineAsync();

        await first.FinishAsync();
        Assert.Equal(1, await AskAsync(connectionString!));
        Assert.Equal((int)ExitCode.AlreadyRunning, (await folder.DownAsync()).ExitCode);

        await second.FinishAsync();
        Assert.False(folder.IsServerUp);
    }

    [Fact]
    public async Task A_command_beside_an_up_does_not_stop_it_and_outlives_it()
    {
        await using var folder = new EmbeddedFolder();
        using var up = ChildProgram.Holder(folder.Path, "Serve");
        await up.ReadLineAsync();
        using (var brief = ChildProgram.Holder(folder.Path, "Command"))
            await brief.FinishAsync();
        Assert.True(folder.IsServerUp);

        using var import = ChildProgram.Holder(folder.Path, "Command");
        var connectionString = await import.ReadLineAsync();
        await up.FinishAsync();
        Assert.Equal(1, await AskAsync(connectionString!));

        await import.FinishAsync();
        Assert.False(folder.IsServerUp);
    }

    [Fact]
    public async Task A_command_that_was_killed_leaves_its_server_to_the_next_one_to_stop()
    {
        await using var folder = new EmbeddedFolder();
        using (var killed = ChildProgram.Holder(folder.Path, "Command"))
        {
            await killed.ReadLineAsync();
            await killed.KillAsync();
        }

        Assert.True(folder.IsServerUp);
        using var next = ChildProgram.Holder(folder.Path, "Command");
        await next.FinishAsync();
        Assert.False(folder.IsServerUp);
    }

    [Fact]
    public async Task A_stale_pid_file_whose_number_is_another_process_by_now_does_no_harm()
    {
        await using var folder = new EmbeddedFolder();
        await folder.DatabaseUrlAsync();
        var lines = await File.ReadAllLinesAsync(folder.In("postgres/postmaster.pid"));
        await folder.DownAsync();
        // A process of the same user, which PostgreSQL itself would take for the server and refuse to start.
        using var sleeper = Process.Start(new ProcessStartInfo("sleep", "600")
        {
            UserName = Environment.IsPrivilegedProcess ? "nobody" : "",
            WorkingDirectory = "/",
        })!;
        lines[0] = $"{sleeper.Id}";
        await File.WriteAllLinesAsync(folder.In("postgres/postmaster.pid"), lines);

        Assert.Equal(1, await EmbeddedFolder.AskAsync(await folder.DatabaseUrlAsync(), "SELECT 1"));
        sleeper.Kill();
    }

    [Fact]
    public async Task A_server_that_was_killed_comes_back_with_its_data()
    {
        await using var folder = new EmbeddedFolder();
        var url = await folder.DatabaseUrlAsync();
        await EmbeddedFolder.AskAsync(url, "CREATE TABLE kept AS SELECT 7 AS number");
        using (var server = Process.GetProcessById(folder.ServerProcess))
            server.Kill();

        Assert.Equal(7, await EmbeddedFolder.AskAsync(await folder.DatabaseUrlAsync(), "SELECT number FROM kept"));
    }

    [Fact]
    public async Task A_kill_in_the_middle_of_initdb_leaves_nothing_that_the_next_start_stumbles_over()
    {
        await using var folder = new EmbeddedFolder();
        Directory.CreateDirectory(folder.Path);
        using (var drafts = new FileSystemWatcher(folder.Path, "postgres.new-*"))
        using (var killed = ChildProgram.Actors("database", "--data", folder.Path))
        {
            var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            drafts.Created += (_, _) => begun.TrySetResult();
            drafts.EnableRaisingEvents = true;
            // It may have begun before the watcher was ready.
            if (Directory.GetDirectories(folder.Path, "postgres.new-*").Length == 0)
                await begun.Task;
            await killed.KillAsync();
        }

        Assert.False(Directory.Exists(folder.Cluster));
        Assert.Equal(1, await EmbeddedFolder.AskAsync(await folder.DatabaseUrlAsync(), "SELECT 1"));
    }

    [Fact]
    public async Task A_copy_of_a_running_database_is_refused()
    {
        await using var folder = new EmbeddedFolder();
        await folder.DatabaseUrlAsync();
        await EmbeddedFolder.CopyAsync(folder.Path, folder.Beside("copy"));

        var refused = await ChildProgram.RunActorsAsync("database", "--data", folder.Beside("copy"));

        Assert.Equal((int)ExitCode.DataFolderUnusable, refused.ExitCode);
        Assert.Contains($"was copied from {folder.Path}", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_logins_of_silo_and_api_get_their_passwords_once_they_exist()
    {
        await using var folder = new EmbeddedFolder();
        await using var embedded = await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions { Folder = folder.Path }, CancellationToken.None);
        await embedded.EnsureLoginPasswordsAsync(CancellationToken.None);
        await EmbeddedFolder.AskAsync(embedded.OwnerUrl, "CREATE ROLE actors_silo LOGIN; CREATE ROLE actors_api LOGIN");

        await embedded.EnsureLoginPasswordsAsync(CancellationToken.None);

        Assert.Equal(1, await AskAsync(embedded.SiloConnectionString));
        Assert.Equal(1, await AskAsync(embedded.ApiConnectionString));
    }

    [Fact]
    public async Task The_server_is_in_a_session_of_its_own_where_ctrl_c_does_not_reach_it()
    {
        await using var folder = new EmbeddedFolder();
        await folder.DatabaseUrlAsync();

        // Process id, (name), state, parent, process group, session.
        var status = await File.ReadAllTextAsync($"/proc/{folder.ServerProcess}/stat");
        var fields = status[(status.LastIndexOf(')') + 2)..].Split(' ');

        var ours = await File.ReadAllTextAsync("/proc/self/stat");
        var session = ours[(ours.LastIndexOf(')') + 2)..].Split(' ')[3];
        Assert.NotEqual(session, fields[3]);
    }

    private static async Task<object?> AskAsync(string connectionString) => await EmbeddedFolder.AskAsync(
        DatabaseUrl.Format(new NpgsqlConnectionStringBuilder(connectionString)), "SELECT 1");
}
