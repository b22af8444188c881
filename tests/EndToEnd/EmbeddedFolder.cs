using System.Diagnostics;
using System.Globalization;
using Actors.Silo.Database;
using Npgsql;

namespace Actors.Tests.EndToEnd;

/// <summary>A data folder of a test's own; its server is stopped and the folder removed at the end.</summary>
public sealed class EmbeddedFolder : IAsyncDisposable
{
    private readonly string parent =
        System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"actors-test-{Guid.NewGuid():N}");

    /// <param name="name">The folder's own name; it does not exist yet.</param>
    public EmbeddedFolder(string name = "data")
    {
        // Not a folder that is closed to others: as root, PostgreSQL runs as another user.
        Directory.CreateDirectory(parent);
        Path = System.IO.Path.Combine(parent, name);
    }

    public string Path { get; }

    public string Cluster => In("postgres");

    /// <summary>The process id of the server, from its pid file.</summary>
    public int ServerProcess =>
        int.Parse(File.ReadLines(In("postgres/postmaster.pid")).First(), CultureInfo.InvariantCulture);

    public bool IsServerUp => File.Exists(In("postgres/postmaster.pid"));

    public string In(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>`actors database` on this folder: the URL.</summary>
    public async Task<string> DatabaseUrlAsync()
    {
        var (code, output, error) = await ChildProgram.RunActorsAsync("database", "--data", Path);
        return code == 0 ? output : throw new InvalidOperationException($"exit code {code}: {error}");
    }

    public Task<ProgramResult> DownAsync() => ChildProgram.RunActorsAsync("down", "--data", Path);

    /// <summary>The first column of the first row, in the database that a URL names.</summary>
    public static async Task<object?> AskAsync(string url, string sql)
    {
        var target = DatabaseUrl.Parse(url);
        target.Pooling = false;
        await using var connection = new NpgsqlConnection(target.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Copies a folder with owners and modes, as a person would.</summary>
    public static async Task CopyAsync(string from, string to)
    {
        using var copy = Process.Start("cp", ["-a", from, to]);
        await copy.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await DownAsync();
        Directory.Delete(parent, recursive: true);
    }

    /// <summary>All that lies in the folder above the data folder.</summary>
    public string Beside(string name) => System.IO.Path.Combine(parent, name);
}
