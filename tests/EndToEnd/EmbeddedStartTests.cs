using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Npgsql;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>Making, starting and finding the embedded database, on the real programs.</summary>
public sealed class EmbeddedStartTests
{
    [Fact]
    public async Task The_first_command_makes_a_database_and_the_next_finds_its_data_and_port_again()
    {
        await using var folder = new EmbeddedFolder();
        var first = await folder.DatabaseUrlAsync();
        await EmbeddedFolder.AskAsync(first, "CREATE TABLE kept AS SELECT 7 AS number");
        var server = folder.ServerProcess;

        Assert.Equal(first, await folder.DatabaseUrlAsync());
        Assert.Equal(server, folder.ServerProcess);

        await folder.DownAsync();
        Assert.Equal(first, await folder.DatabaseUrlAsync());
        Assert.NotEqual(server, folder.ServerProcess);
        Assert.Equal(7, await EmbeddedFolder.AskAsync(first, "SELECT number FROM kept"));
    }

    [Fact]
    public async Task The_server_is_private_and_its_owner_is_no_superuser()
    {
        await using var folder = new EmbeddedFolder();
        await using var embedded = await EmbeddedPostgres.StartAsync(
            new EmbeddedPostgresOptions { Folder = folder.Path }, CancellationToken.None);

        Assert.Equal(
            "127.0.0.1 - UTF8 C.UTF-8 200 scram-sha-256",
            await EmbeddedFolder.AskAsync(
                DatabaseUrl.Format(new NpgsqlConnectionStringBuilder(embedded.SuperuserConnectionString)),
                """
                SELECT current_setting('listen_addresses') || ' ' ||
                       coalesce(nullif(current_setting('unix_socket_directories'), ''), '-') || ' ' ||
                       current_setting('server_encoding') || ' ' || datcollate || ' ' ||
                       current_setting('max_connections') || ' ' || current_setting('password_encryption')
                  FROM pg_database WHERE datname = current_database()
                """));
        Assert.Equal(
            "actors_owner actors_owner f t f",
            await EmbeddedFolder.AskAsync(
                embedded.OwnerUrl,
                """
                SELECT concat_ws(' ', rolname, pg_get_userbyid(datdba), left(rolsuper::text, 1),
                                 left(rolcreaterole::text, 1), left(rolcreatedb::text, 1))
                  FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()
                """));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.In("embedded.json")));
    }

    [Fact]
    public async Task Two_commands_at_once_on_a_new_folder_share_one_server()
    {
        await using var folder = new EmbeddedFolder();

        var urls = await Task.WhenAll(folder.DatabaseUrlAsync(), folder.DatabaseUrlAsync());

        Assert.Equal(urls[0], urls[1]);
        Assert.Equal(1, await EmbeddedFolder.AskAsync(urls[0], "SELECT 1"));
    }

    [Theory]
    [InlineData("with spaces and \"quotes\" 'of' both kinds")]
    [InlineData("Zahlungspläne für 東京 $HOME `x` ; &")]
    public async Task Any_folder_name_will_do(string name)
    {
        await using var folder = new EmbeddedFolder(name);

        Assert.Equal(1, await EmbeddedFolder.AskAsync(await folder.DatabaseUrlAsync(), "SELECT 1"));
    }

    [Fact]
    public async Task A_folder_behind_a_symbolic_link_is_the_same_folder()
    {
        await using var folder = new EmbeddedFolder();
        var url = await folder.DatabaseUrlAsync();
        Directory.CreateSymbolicLink(folder.Beside("link"), folder.Path);

        var linked = await ChildProgram.RunActorsAsync("database", "--data", folder.Beside("link"));

        Assert.Equal(url, linked.Output);
    }

    [Fact]
    public async Task A_port_that_somebody_took_in_the_meantime_is_left_to_him()
    {
        await using var folder = new EmbeddedFolder();
        await folder.DatabaseUrlAsync();
        await folder.DownAsync();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var state = await File.ReadAllTextAsync(folder.In("embedded.json"));
        await File.WriteAllTextAsync(
            folder.In("embedded.json"),
            Regex.Replace(state, "\"port\": \\d+", $"\"port\": {port}"));

        var url = await folder.DatabaseUrlAsync();

        Assert.DoesNotContain(port.ToString(CultureInfo.InvariantCulture), url, StringComparison.Ordinal);
        Assert.Equal(1, await EmbeddedFolder.AskAsync(url, "SELECT 1"));
    }

    [Fact]
    public async Task A_cluster_of_another_major_version_is_refused_and_left_as_it_was()
    {
        await using var folder = new EmbeddedFolder();
        await folder.DatabaseUrlAsync();
        await folder.DownAsync();
        await File.WriteAllTextAsync(folder.In("postgres/PG_VERSION"), "14\n");

        var refused = await ChildProgram.RunActorsAsync("database", "--data", folder.Path);

        Assert.Equal((int)ExitCode.DataFolderUnusable, refused.ExitCode);
        Assert.Contains("made by PostgreSQL 14, which is not installed", refused.Error, StringComparison.Ordinal);
        Assert.False(folder.IsServerUp);
        Assert.Equal("14\n", await File.ReadAllTextAsync(folder.In("postgres/PG_VERSION")));
    }

    [Fact]
    public async Task A_folder_with_other_files_in_the_clusters_place_is_refused()
    {
        await using var folder = new EmbeddedFolder();
        Directory.CreateDirectory(folder.Cluster);
        await File.WriteAllTextAsync(folder.In("postgres/letter.txt"), "mine");

        var refused = await ChildProgram.RunActorsAsync("database", "--data", folder.Path);

        Assert.Equal((int)ExitCode.DataFolderUnusable, refused.ExitCode);
        Assert.Contains("no PostgreSQL cluster", refused.Error, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(folder.In("postgres/letter.txt")));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_refused()
    {
        await using var folder = new EmbeddedFolder();
        await File.WriteAllTextAsync(folder.Path, "a file, not a folder");

        var refused = await ChildProgram.RunActorsAsync("database", "--data", folder.In("inside"));

        Assert.Equal((int)ExitCode.DataFolderUnusable, refused.ExitCode);
        Assert.Contains("cannot be written", refused.Error, StringComparison.Ordinal);
        File.Delete(folder.Path);
    }

    [Fact]
    public async Task As_root_a_folder_that_is_closed_to_others_is_refused_and_as_anybody_else_it_will_do()
    {
        await using var folder = new EmbeddedFolder("closed");
        Directory.CreateDirectory(
            folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var answer = await ChildProgram.RunActorsAsync("database", "--data", folder.In("inside"));

        if (Environment.IsPrivilegedProcess)
        {
            Assert.Equal((int)ExitCode.DataFolderUnusable, answer.ExitCode);
            Assert.Contains("closed to others", answer.Error, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(0, answer.ExitCode);
            await ChildProgram.RunActorsAsync("down", "--data", folder.In("inside"));
        }
    }

    [Fact]
    public async Task A_database_and_a_data_folder_together_are_one_too_many()
    {
        var refused = await ChildProgram.RunActorsAsync("database", "--data", "x", "--database", "Host=h");

        Assert.Equal((int)ExitCode.Usage, refused.ExitCode);
    }
}
