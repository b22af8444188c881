using System.Buffers.Text;
using System.CommandLine;
using System.Text;
using Actors.Api.Access;
using Actors.Silo.CommandLine;
using Actors.Silo.CommandLine.Commands;
using Actors.Tests.Support;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>`./actors key create --name N`.</summary>
public sealed class KeyCommandTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Fact]
    public async Task A_new_key_is_let_in()
    {
        var key = await CreateAsync("nightly import");
        using var response = await host.PostAsync(ApiHost.NoAgency, key);

        await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
    }

    [Fact]
    public async Task Standard_output_holds_the_key_and_nothing_else_and_standard_error_everything_but_the_key()
    {
        var (output, error) = await RunAsync("ci", host.ConnectionString);

        Assert.Matches("^actors_[A-Za-z0-9_-]{43}\n$", output.ReplaceLineEndings("\n"));
        Assert.Contains("'ci'", error, StringComparison.Ordinal);
        Assert.DoesNotContain(output.Trim(), error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_hash_of_a_key_is_in_the_database()
    {
        var key = await CreateAsync("stored");
        var dump = await ApiKeysTable.DumpAsync(host.Database);

        Assert.Contains(Convert.ToHexStringLower(key.Hash()), dump, StringComparison.Ordinal);
        var random = key.Reveal()[ApiKey.Prefix.Length..];
        Assert.All(
            [random, Convert.ToHexStringLower(Encoding.ASCII.GetBytes(random)),
                Convert.ToHexStringLower(Base64Url.DecodeFromChars(random))],
            plain => Assert.DoesNotContain(plain, dump, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_name_that_is_in_use_is_refused_and_its_key_goes_on()
    {
        var key = await CreateAsync("taken");
        var before = await ApiKeysTable.DumpAsync(host.Database);

        var failure = await Assert.ThrowsAsync<CommandFailure>(() => CreateAsync("taken"));

        Assert.Equal(ExitCode.BadInput, failure.Code);
        Assert.Equal(
            "There is an API key named 'taken' already; choose another name, or make a successor with: "
            + "./actors key rotate 'taken'",
            failure.Message);
        Assert.Equal(before, await ApiKeysTable.DumpAsync(host.Database));
        using var response = await host.PostAsync(ApiHost.NoAgency, key);
        await ApiAssert.ProblemAsync(response, 404, "agency-not-found");
    }

    [Fact]
    public async Task A_revoked_key_leaves_its_name_to_its_successor()
    {
        await CreateAsync("passed on");
        await ApiKeysTable.ExecuteAsync(
            host.Database, "UPDATE api_keys SET revoked_at = now() WHERE name = 'passed on'");

        var key = await CreateAsync("passed on");

        Assert.Equal("passed on", await ApiKeysTable.ReadAsync<string>(host.Database, key, "name"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ci")]
    [InlineData("two\nlines")]
    public async Task A_bad_name_is_refused_and_nothing_is_changed(string name)
    {
        var before = await ApiKeysTable.DumpAsync(host.Database);

        var failure = await Assert.ThrowsAsync<CommandFailure>(() => CreateAsync(name));

        Assert.Equal(ExitCode.BadInput, failure.Code);
        Assert.Equal(before, await ApiKeysTable.DumpAsync(host.Database));
    }

    [Fact]
    public async Task A_database_without_the_table_is_answered_with_the_command_that_makes_it()
    {
        await using var empty = await TestDatabase.CreateEmptyAsync();

        var failure = await Assert.ThrowsAsync<CommandFailure>(() => RunAsync("ci", empty.ConnectionString));

        Assert.Equal(ExitCode.SchemaMismatch, failure.Code);
        Assert.Contains("./actors migrate up", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_does_not_answer_is_named_as_the_reason()
    {
        var failure = await Assert.ThrowsAsync<CommandFailure>(
            () => RunAsync("ci", "Host=127.0.0.1;Port=1;Username=u;Password=hunter2"));

        Assert.Equal(ExitCode.DatabaseUnreachable, failure.Code);
        Assert.DoesNotContain("hunter2", failure.Message, StringComparison.Ordinal);
    }

    private async Task<ApiKey> CreateAsync(string name)
    {
        var (output, _) = await RunAsync(name, host.ConnectionString);
        return Assert.IsType<ApiKey>(ApiKey.Parse(output.Trim()));
    }

    private static async Task<(string Output, string Error)> RunAsync(string name, string database)
    {
        var options = new GlobalOptions();
        var root = new RootCommand { options.Database, options.Data, KeyCommand.Create(options) };
        using var output = new StringWriter();
        using var error = new StringWriter();
        var configuration = new InvocationConfiguration
        {
            Output = output,
            Error = error,
            EnableDefaultExceptionHandler = false,
        };
        var code = await root.Parse(["key", "create", "--name", name, "--database", database])
            .InvokeAsync(configuration, TestContext.Current.CancellationToken);
        Assert.Equal(0, code);
        return (output.ToString(), error.ToString());
    }
}
