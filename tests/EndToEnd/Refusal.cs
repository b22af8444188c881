using Actors.Silo.CommandLine;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>How the command line says no: an exit code of its own, and one line on standard error.</summary>
internal static class Refusal
{
    public static void Is(ProgramResult result, ExitCode code, string said)
    {
        Assert.Equal(code, (ExitCode)result.ExitCode);
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        Assert.Matches("^[^\n]+[.?]$", result.Error);
        // `up` says which database it took before that one refuses.
        Assert.Matches("^(Database: [^\n]+)?$", result.Output);
    }
}
