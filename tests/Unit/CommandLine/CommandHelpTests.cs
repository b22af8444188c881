using Actors.Silo.CommandLine;
using Xunit;

namespace Actors.Tests.Unit.CommandLine;

public sealed class CommandHelpTests
{
    [Theory]
    [InlineData("--days", "cutoff", "--help")]
    [InlineData("<FILE.csv>", "import", "agencies", "--help")]
    [InlineData("<FILE.csv>", "import", "plans", "-h")]
    [InlineData("--name", "key", "create", "--help")]
    [InlineData("--to <NNN>", "migrate", "up", "--help")]
    public async Task Help_is_given_also_where_a_required_argument_is_missing(string said, params string[] arguments)
    {
        var (code, output, error) = await RunAsync(arguments);

        Assert.Equal("", error);
        Assert.Equal((int)ExitCode.Ok, code);
        Assert.Contains(said, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("`actors import agencies --help`", "import", "agencies")]
    [InlineData("`actors key create --help`", "key", "create")]
    [InlineData("`actors --help`", "nonsense")]
    public async Task The_hint_names_the_command_as_it_is_typed(string said, params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);

        Assert.Equal((int)ExitCode.Usage, code);
        Assert.Contains(said, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Days_that_are_no_number_are_refused_in_words_of_ours()
    {
        var (code, _, error) = await RunAsync("cutoff", "Europe/Berlin", "17:00", "--days", "abc");

        Assert.Equal((int)ExitCode.Usage, code);
        Assert.StartsWith("--days is 'abc'; expected is a number from 1 to 3660.", error, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var root = CommandLineApplication.CreateRoot(TimeProvider.System);
        var code = await CommandLineApplication.RunAsync(root, arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
