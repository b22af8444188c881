using System.CommandLine;
using Actors.Silo.CommandLine;
using Actors.Silo.CommandLine.Commands;
using Actors.Silo.Import;
using Xunit;
using static Actors.Tests.Integration.Import.ImportDatabase;

namespace Actors.Tests.Integration.Import;

public sealed class ImportCommandTests
{
    [Fact]
    public async Task The_command_prints_what_it_did()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(
                file, $"id,agency_id,status\n{Id('b', 1)},{Id('a', 1)},active\n{Id('b', 2)},{Id('a', 1)},draft\n");
            var (code, output) = await RunAsync(database, "plans", file);
            Assert.Equal(0, code);
            Assert.Matches(@"^plans: 1 inserted, 1 unchanged\.\r?\nTook \d+\.\d s\.\r?\n$", output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("/nowhere/a.csv", "/nowhere/a.csv cannot be read: there is no such file. Nothing was imported.")]
    [InlineData("/", "/ cannot be read: it is a folder. Nothing was imported.")]
    public async Task A_file_that_cannot_be_read_is_named(string file, string message)
    {
        await using var database = await ImportDatabase.CreateAsync();
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => RunAsync(database, "plans", file));
        Assert.Equal(ExitCode.BadInput, failure.Code);
        Assert.Equal(message, failure.Message);
    }

    [Fact]
    public async Task A_database_that_does_not_answer_has_a_code_of_its_own()
    {
        using var csv = new MemoryStream();
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => CsvImport.RunAsync(
            "Host=127.0.0.1;Port=1;Username=nobody;Database=none", ImportKind.Plans, csv, "file.csv",
            CancellationToken.None));
        Assert.Equal(ExitCode.DatabaseUnreachable, failure.Code);
    }

    private static async Task<(int Code, string Output)> RunAsync(ImportDatabase database, string kind, string file)
    {
        var options = new GlobalOptions();
        var root = new RootCommand { options.Database, options.Data, ImportCommand.Create(options) };
        using var output = new StringWriter();
        var code = await root.Parse(["import", kind, file, "--database", database.ConnectionString]).InvokeAsync(
            new InvocationConfiguration { Output = output, EnableDefaultExceptionHandler = false });
        return (code, output.ToString());
    }
}
