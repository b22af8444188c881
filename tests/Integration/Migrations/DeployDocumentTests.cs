using System.Diagnostics;
using System.Text.RegularExpressions;
using Actors.Silo.Migrations;
using Xunit;

namespace Actors.Tests.Integration.Migrations;

public sealed partial class DeployDocumentTests
{
    [Theory]
    [InlineData("core_tables_with_text_status")]
    [InlineData("core_tables_with_enum_status")]
    public async Task Its_commands_do_what_it_says_on_a_database_that_is_in_use(string start)
    {
        await using var database = await StartingDatabase.CreateAsync(start);
        var (schema, rows) = (await database.DumpSchemaAsync(), await database.DumpRowsAsync());
        var blocks = BashBlock().Matches(
            await File.ReadAllTextAsync(Path.Combine(StartingDatabase.Root, "docs/DEPLOY.md")));
        var folder = Directory.CreateTempSubdirectory("deploy");
        try
        {
            var actors = Path.Combine(folder.FullName, "actors");
            var silo = typeof(MigrationRunner).Assembly.Location;
            await File.WriteAllTextAsync(
                actors, $"#!/bin/sh\nexec dotnet '{silo}' \"$@\" --database '{database.ConnectionString}'\n");

            var (code, output) = await RunAsync(
                folder.FullName, database.Url, string.Join('\n', blocks.Select(block => block.Groups["script"].Value)));

            Assert.True(code == 0, output);
            Assert.True(blocks.Count >= 6);
            Assert.Contains("sql/004_notifications_domain/verify.sql  ok", output, StringComparison.Ordinal);
            Assert.Equal(schema, await database.DumpSchemaAsync());
            Assert.Equal(rows, await database.DumpRowsAsync());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<(int Code, string Output)> RunAsync(string folder, string url, string script)
    {
        var file = Path.Combine(folder, "deploy.sh");
        await File.WriteAllTextAsync(file, "set -euo pipefail\nexec 2>&1\nchmod u+x actors\n" + script);
        var start = new ProcessStartInfo("bash", [file])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            Environment =
            {
                ["ACTORS_DATABASE"] = url,
                ["ACTORS_SILO_PASSWORD"] = "secret",
                ["ACTORS_API_PASSWORD"] = "secret",
                ["PATH"] = $"{StartingDatabase.ClientPrograms}:{Environment.GetEnvironmentVariable("PATH")}",
            },
        };
        using var bash = Process.Start(start)!;
        var output = await bash.StandardOutput.ReadToEndAsync();
        await bash.WaitForExitAsync();
        return (bash.ExitCode, output);
    }

    [GeneratedRegex("^```bash\n(?<script>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex BashBlock();
}
