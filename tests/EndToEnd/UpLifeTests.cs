using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Npgsql;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>How `up` ends, by a signal or by a kill, and what the next one makes of it.</summary>
public sealed class UpLifeTests : IAsyncLifetime
{
    private readonly EmbeddedFolder folder = new();

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => folder.DisposeAsync();

    [Fact]
    public async Task A_stopped_up_leaves_no_process_and_the_next_one_finds_its_data_again()
    {
        using var first = Up();
        await first.ReadUntilAsync("ready ");
        var url = await folder.DatabaseUrlAsync();

        var stopped = await first.TerminateAsync();

        Assert.Equal(0, stopped.ExitCode);
        Assert.EndsWith("Stopped.", stopped.Output, StringComparison.Ordinal);
        Assert.False(folder.IsServerUp);
        await Assert.ThrowsAsync<NpgsqlException>(() => EmbeddedFolder.AskAsync(url, "SELECT 1"));

        using var second = Up();
        var lines = await second.ReadUntilAsync("ready ");

        Assert.Contains("Schema: current.", lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("Sample:", StringComparison.Ordinal));
        Assert.Equal(16L, await AskAsync("SELECT count(*) FROM agencies"));
        Assert.Equal(0, (await second.TerminateAsync()).ExitCode);
    }

    [Fact]
    public async Task Up_is_bound_and_advertised_where_it_is_told()
    {
        using var up = Up("--no-sample", "--bind", "127.0.0.2", "--port", $"{RunningUp.FreePort()}");

        var lines = await up.ReadUntilAsync("ready ");
        var ready = lines.Last(line => line.StartsWith("ready ", StringComparison.Ordinal));

        Assert.StartsWith("ready http://127.0.0.2:", ready, StringComparison.Ordinal);
        Assert.Equal("127.0.0.2", await AskAsync("SELECT address FROM orleans.silos WHERE status = 3"));
        Assert.Equal(0, (await up.TerminateAsync()).ExitCode);
    }

    [Fact]
    public async Task A_killed_up_leaves_nothing_that_the_next_one_stumbles_over()
    {
        using (var killed = Up("--no-sample"))
        {
            await killed.ReadUntilAsync("ready ");
            await UntilSweptAfterAsync("now() - interval '1 hour'");
            await killed.KillAsync();
        }

        // The server outlived it, and in the membership stands a silo that nobody has declared dead.
        Assert.Equal(1L, await AskAsync("SELECT count(*) FROM orleans.silos WHERE status = 3"));
        var before = (DateTime)(await AskAsync("SELECT now()"))!;
        using (var next = Up("--no-sample", "--port", $"{RunningUp.FreePort()}"))
        {
            await next.ReadUntilAsync("ready ");
            await UntilSweptAfterAsync($"'{before:O}'");
            Assert.Equal(1L, await AskAsync("SELECT count(*) FROM orleans.silos WHERE status = 3"));
            await next.KillAsync();
        }

        var server = folder.ServerProcess;
        var down = await folder.DownAsync();
        Assert.Equal(
            (0, $"Stopped the embedded PostgreSQL (process {server}) in {folder.Path}."), (down.ExitCode, down.Output));
        Assert.False(folder.IsServerUp);
    }

    [Fact]
    public async Task A_silo_refuses_to_start_on_a_schema_that_is_ahead()
    {
        Assert.Equal(0, (await RunAsync("migrate", "up")).ExitCode);
        await AskAsync(
            """
            INSERT INTO actors.schema_migrations (version, domain, name, checksum)
            SELECT '099/001', '099_later_domain', 'later_tables', repeat('0', 64)
            """);

        Refusal.Is(await RunAsync("up"), ExitCode.SchemaMismatch, "run a newer version");
        Refusal.Is(await RunAsync("migrate", "up"), ExitCode.SchemaMismatch, "099/001");
        Refusal.Is(await RunAsync("migrate", "verify"), ExitCode.SchemaMismatch, "099/001");
        var status = await RunAsync("migrate", "status");
        Assert.Equal((int)ExitCode.SchemaMismatch, status.ExitCode);
        Assert.Contains("not of this version", status.Output, StringComparison.Ordinal);
        var doctor = await RunAsync("doctor");
        Assert.Equal((int)ExitCode.DoctorFoundProblems, doctor.ExitCode);
        Assert.Contains("problem  schema", doctor.Output, StringComparison.Ordinal);
        Assert.Equal(0L, await AskAsync("SELECT count(*) FROM agencies"));
    }

    [Fact]
    public async Task The_schema_goes_down_and_up_again_and_each_command_says_where_it_stands()
    {
        var up = await RunAsync("migrate", "up");
        Assert.Equal(0, up.ExitCode);
        Assert.EndsWith("applied.", up.Output, StringComparison.Ordinal);
        var verified = await RunAsync("migrate", "verify");
        Assert.Equal(0, verified.ExitCode);
        Assert.Contains("sql/004_notifications_domain/verify.sql  ok", verified.Output, StringComparison.Ordinal);

        Assert.Equal(0, (await RunAsync("migrate", "down", "--to", "003")).ExitCode);
        var status = await RunAsync("migrate", "status");
        Assert.Equal((int)ExitCode.SchemaMismatch, status.ExitCode);
        Assert.EndsWith("are not applied. Run ./actors migrate up.", status.Output, StringComparison.Ordinal);
        Refusal.Is(await RunAsync("migrate", "verify"), ExitCode.SchemaMismatch, "Run ./actors migrate up.");
        Refusal.Is(await RunAsync("migrate", "down", "--to", "777"), ExitCode.Usage, "There is no migration '777'");

        Assert.Equal(0, (await RunAsync("migrate", "up")).ExitCode);
        var current = await RunAsync("migrate", "status");
        Assert.Equal(0, current.ExitCode);
        Assert.EndsWith("The schema is this version's.", current.Output, StringComparison.Ordinal);
        Assert.Equal("Nothing to apply.", (await RunAsync("migrate", "up")).Output);
    }

    private ChildProgram Up(params string[] arguments) =>
        ChildProgram.Actors(["up", "--data", folder.Path, .. arguments]);

    private Task<ProgramResult> RunAsync(params string[] arguments) =>
        ChildProgram.RunActorsAsync([.. arguments, "--data", folder.Path]);

    private async Task<object?> AskAsync(string sql) =>
        await EmbeddedFolder.AskAsync(await folder.DatabaseUrlAsync(), sql);

    private async Task UntilSweptAfterAsync(string instant) => await Eventually.TrueAsync(
        DatabaseUrl.Parse(await folder.DatabaseUrlAsync()).ConnectionString,
        $"SELECT EXISTS (SELECT FROM sweeps WHERE swept_at > {instant})");
}
