using System.Net;
using Actors.Silo.Database;
using Actors.Silo.Hosting;
using Npgsql;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>One `actors up` on a new folder, for all tests of a class: the process as people run it.</summary>
public sealed class RunningUp : IAsyncLifetime
{
    private ChildProgram? program;

    public EmbeddedFolder Folder { get; } = new();

    public int Port { get; } = FreePort();

    /// <summary>What it printed up to the line that says it is ready.</summary>
    public IReadOnlyList<string> Lines { get; private set; } = [];

    /// <summary>The owner of its database.</summary>
    public string ConnectionString { get; private set; } = "";

    public HttpClient Http { get; } = new();

    public int Id => program!.Id;

    public static int FreePort() => SiloPorts.FindAny(IPAddress.Loopback).Silo;

    public async ValueTask InitializeAsync()
    {
        program = ChildProgram.Actors("up", "--data", Folder.Path, "--port", $"{Port}");
        Lines = await program.ReadUntilAsync("ready ");
        ConnectionString = DatabaseUrl.Parse(await Folder.DatabaseUrlAsync()).ConnectionString;
        Http.BaseAddress = new Uri($"http://127.0.0.1:{Port}");
    }

    public Task<ProgramResult> RunAsync(params string[] arguments) =>
        ChildProgram.RunActorsAsync([.. arguments, "--data", Folder.Path]);

    /// <summary>The first column of the first row.</summary>
    public async Task<T> AskAsync<T>(string sql)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (program is not null)
        {
            await program.TerminateAsync();
            program.Dispose();
        }

        await Folder.DisposeAsync();
    }
}
