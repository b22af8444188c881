using System.Diagnostics;
using System.Runtime.Versioning;
using Actors.Tests.Unit.Tidy;
using Xunit;

namespace Actors.Tests.Unit.CommandLine;

/// <summary>`./actors`, with another in the place of `dotnet`, and a program that counts as built.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class StartScriptTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("actors-script-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(null, "6000000")]
    [InlineData("", "6000000")]
    [InlineData("0", "0")]
    [InlineData("C000000", "C000000")]
    public async Task The_program_starts_with_a_first_generation_of_96_megabytes_or_as_its_environment_says(
        string? variable, string expected)
    {
        var program = Write("src/Silo/bin/Release/net10.0/Actors.Silo.dll", "");
        Write("src/Silo/bin/.built", "");
        Write("bin/dotnet", "#!/bin/sh\necho \"$DOTNET_GCgen0size $*\"\n");
        File.SetUnixFileMode(
            Path.Combine(folder, "bin/dotnet"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Copy(Path.Combine(Repository.Root, "actors"), Path.Combine(folder, "actors"));

        var start = new ProcessStartInfo("bash", [Path.Combine(folder, "actors"), "cutoff", "--help"])
        {
            RedirectStandardOutput = true,
        };
        start.Environment["PATH"] = $"{folder}/bin:{start.Environment["PATH"]}";
        start.Environment["DOTNET_GCgen0size"] = variable;
        using var script = Process.Start(start)!;
        var said = await script.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await script.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal($"{expected} {program} cutoff --help\n", said);
        Assert.Equal(0, script.ExitCode);
    }

    [Fact]
    public void Who_starts_it_without_the_script_is_told_the_same_size() => Assert.Contains(
        "DOTNET_GCgen0size=6000000", File.ReadAllText(Path.Combine(Repository.Root, "docs", "DEPLOY.md")),
        StringComparison.Ordinal);

    private string Write(string path, string text)
    {
        var whole = Path.Combine(folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(whole)!);
        File.WriteAllText(whole, text);
        return whole;
    }
}
