using Actors.Silo.CommandLine;
using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>What people get wrong, through the real command line: one sentence, a code, nothing done.</summary>
public sealed class BadInputTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateEmptyAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task A_command_line_that_is_wrong_is_explained_and_nothing_is_made()
    {
        var folder = Path.Combine(Path.GetTempPath(), $"actors-test-{Guid.NewGuid():N}");
        (string[] Arguments, string Said)[] wrong =
        [
            (["pu"], "'pu' is no command or argument of `actors`"),
            (["up", "--prot", "1"], "did you mean '--port'?"),
            (["up", "--bind", "203.0.113.9"], "--bind is '203.0.113.9'; expected is one IP address of this machine."),
            (["up", "--bind", "0.0.0.0"], "--bind is '0.0.0.0'; expected is one IP address of this machine."),
            (["up", "--port", "high"], "--port is 'high'; expected is a number from 1 to 65535."),
            (["silo", "--pooler", "postgres://u:p@h:6432/d"], "is named by its address alone"),
            (["api", "--pooler", "h:6432"], "is named by its address alone"),
            (["migrate"], "`actors migrate --help` lists what there is."),
            (["up", "--database", "mysql://u@h/d"], "a URL starts with postgres:// or postgresql://"),
            (["up", "--database", "Host=h", "--data", folder], "give one of the two"),
            (["up", "--data", folder, "--api-database", "Host=h"], "the embedded database has a login for the API"),
        ];
        foreach (var (arguments, said) in wrong)
            Refusal.Is(await ChildProgram.RunActorsAsync(arguments), ExitCode.Usage, said);

        Refusal.Is(
            await ChildProgram.RunActorsWithAsync("ACTORS_PORT", "99999", "up", "--data", folder),
            ExitCode.Usage,
            "ACTORS_PORT is '99999'");
        Refusal.Is(
            await ChildProgram.RunActorsWithAsync("ACTORS_JWT_ISSUER", "https://a.example", "up", "--data", folder),
            ExitCode.Usage,
            "the keys are missing");
        Refusal.Is(
            await ChildProgram.RunActorsWithAsync("ACTORS_LIMIT_READS", "many", "up", "--data", folder),
            ExitCode.Usage,
            "ACTORS_LIMIT_READS is 'many'");
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_cutoff_is_printed_and_a_zone_or_time_that_is_none_is_bad_input()
    {
        var printed = await ChildProgram.RunActorsAsync(
            "cutoff", "Australia/Sydney", "02:30", "--from", "2026-10-04", "--days", "2");
        Assert.Equal((0, ""), (printed.ExitCode, printed.Error));
        Assert.Contains(
            "2026-10-04  2026-10-03T16:30:00Z  2026-10-04 03:30:00+11:00  shifted",
            printed.Output,
            StringComparison.Ordinal);

        Refusal.Is(
            await ChildProgram.RunActorsAsync("cutoff", "Australia/Brisbame", "17:00"),
            ExitCode.BadInput,
            "did you mean 'Australia/Brisbane'");
        Refusal.Is(
            await ChildProgram.RunActorsAsync("cutoff", "UTC", "25:00"), ExitCode.BadInput, "is not a time of day");
    }

    [Fact]
    public async Task A_database_that_is_down_or_does_not_exist_or_refuses_the_password_is_named()
    {
        Refusal.Is(
            await OnAsync(to => to.Port = RunningUp.FreePort(), "up"),
            ExitCode.DatabaseUnreachable,
            "does not answer (connection refused)");
        Refusal.Is(
            await OnAsync(to => to.Database = "no_such_database", "migrate", "up"),
            ExitCode.DatabaseUnsuitable,
            "no_such_database");
        var refused = await OnAsync(to => to.Password = "geheim", "up");
        Refusal.Is(refused, ExitCode.MissingRights, "password authentication failed");
        Assert.DoesNotContain("geheim", refused.Error, StringComparison.Ordinal);
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task A_database_that_is_read_only_is_refused_by_every_command_that_writes()
    {
        await ExecuteAsync(
            """
            DO $$ BEGIN
              EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
            END $$
            """);

        Refusal.Is(await OnAsync(_ => { }, "up"), ExitCode.DatabaseUnsuitable, "is read-only for this login");
        Refusal.Is(await OnAsync(_ => { }, "migrate", "up"), ExitCode.DatabaseUnsuitable, "is read-only");
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task A_login_without_rights_is_told_which_it_lacks()
    {
        var login = $"stranger_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {login} LOGIN PASSWORD 'knocks'");
        try
        {
            var refused = await OnAsync(to => (to.Username, to.Password) = (login, "knocks"), "up");

            Refusal.Is(refused, ExitCode.MissingRights, "GRANT CREATE ON DATABASE");
            await AssertUntouchedAsync();
        }
        finally
        {
            await ExecuteAsync($"DROP ROLE {login}");
        }
    }

    [Fact]
    public async Task A_port_that_is_taken_leaves_a_named_database_untouched()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;

        Refusal.Is(
            await OnAsync(_ => { }, "up", "--port", $"{port}"),
            ExitCode.PortInUse,
            $"Port {port} on 127.0.0.1 is taken");
        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task A_named_database_is_printed_as_a_url_for_psql()
    {
        var printed = await OnAsync(_ => { }, "database");

        Assert.Equal((0, ""), (printed.ExitCode, printed.Error));
        Assert.StartsWith("postgres://actors_owner:", printed.Output, StringComparison.Ordinal);
        Assert.Equal(1, await EmbeddedFolder.AskAsync(printed.Output, "SELECT 1"));
    }

    [Fact]
    public async Task A_named_database_that_is_empty_is_told_by_the_doctor_to_be_behind()
    {
        var (code, report, error) = await OnAsync(_ => { }, "doctor");

        Assert.Equal(((int)ExitCode.DoctorFoundProblems, ""), (code, error));
        Assert.Contains("problem  schema      The schema is behind", report, StringComparison.Ordinal);
        await AssertUntouchedAsync();
    }

    private Task<ProgramResult> OnAsync(Action<NpgsqlConnectionStringBuilder> change, params string[] arguments)
    {
        var to = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        change(to);
        return ChildProgram.RunActorsAsync([.. arguments, "--database", to.ConnectionString]);
    }

    /// <summary>Nothing but what a new database has: no table, no schema of ours.</summary>
    private async Task AssertUntouchedAsync() => Assert.Equal(0L, await ExecuteAsync(
        """
        SELECT (SELECT count(*) FROM pg_namespace WHERE nspname IN ('actors', 'orleans', 'auth'))
          + (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        """));

    private async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
