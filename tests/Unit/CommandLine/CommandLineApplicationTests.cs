using System.CommandLine;
using Actors.Silo.CommandLine;
using Npgsql;
using Xunit;

namespace Actors.Tests.Unit.CommandLine;

public sealed class CommandLineApplicationTests
{
    [Theory]
    [InlineData("'--databse' is no option of `actors`; did you mean '--database'?", "--databse", "x")]
    [InlineData("'--dta' is no option of `actors down`; did you mean '--data'?", "down", "--dta")]
    [InlineData("'databas' is no command or argument of `actors`; did you mean 'database'?", "databas")]
    [InlineData("'extra' is no command or argument of `actors database`.", "database", "extra")]
    [InlineData("Required argument missing for option: '--data'.", "database", "--data")]
    public async Task A_wrong_command_line_is_answered_with_the_nearest_right_word(
        string said, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(CommandLineApplication.CreateRoot(TimeProvider.System), arguments);

        Assert.Equal((int)ExitCode.Usage, code);
        Assert.Equal("", output);
        Assert.StartsWith(said, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_lists_every_exit_code_and_environment_variable()
    {
        var (code, output, _) = await RunAsync(CommandLineApplication.CreateRoot(TimeProvider.System), "--help");

        Assert.Equal(0, code);
        Assert.All(
            Enum.GetValues<ExitCode>(),
            exit => Assert.Contains($"\n  {(int)exit} ", output, StringComparison.Ordinal));
        Assert.All(
            [
                "ACTORS_DATABASE", "ACTORS_DATA", "ACTORS_API_DATABASE", "ACTORS_PORT", "ACTORS_JWT_ISSUER",
                "ACTORS_JWT_AUDIENCE", "ACTORS_JWT_JWKS_URL", "ACTORS_JWT_SECRET", "ACTORS_LIMIT_READS",
                "ACTORS_LIMIT_TRIGGERS", "ACTORS_LIMIT_FAILURES", "  database", "  down", "  test [filter]",
            ],
            word => Assert.Contains(word, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_command_help_goes_to_standard_error()
    {
        var (code, output, error) = await RunAsync(CommandLineApplication.CreateRoot(TimeProvider.System));

        Assert.Equal((int)ExitCode.Usage, code);
        Assert.Equal("", output);
        Assert.Contains("Exit codes:", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_is_its_message_and_its_code()
    {
        var (code, _, error) = await RunAsync(
            Throwing(new CommandFailure(ExitCode.SchemaMismatch, "The schema is behind.")), "fail");

        Assert.Equal((int)ExitCode.SchemaMismatch, code);
        Assert.Equal("The schema is behind.\n", error);
    }

    [Fact]
    public async Task A_right_that_the_database_refuses_in_the_middle_of_a_command_is_explained()
    {
        var refused = new PostgresException("permission denied for table jobs_log", "ERROR", "ERROR", "42501");

        var (code, _, error) = await RunAsync(Throwing(refused), "fail");

        Assert.Equal((int)ExitCode.MissingRights, code);
        Assert.Contains("permission denied for table jobs_log", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Something_unforeseen_is_one_line()
    {
        var (code, _, error) = await RunAsync(Throwing(new InvalidOperationException("first\nsecond")), "fail");

        Assert.Equal((int)ExitCode.Unexpected, code);
        Assert.Contains("InvalidOperationException: first second", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task A_command_that_is_cancelled_ends_as_a_shell_expects_of_ctrl_c()
    {
        var (code, _, _) = await RunAsync(Throwing(new OperationCanceledException()), "fail");

        Assert.Equal(130, code);
    }

    private static Command Throwing(Exception exception)
    {
        var fail = new Command("fail");
        fail.SetAction((_, _) => Task.FromException<int>(exception));
        return new Command("actors") { fail };
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(Command root, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLineApplication.RunAsync(root, arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
