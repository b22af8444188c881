using System.CommandLine;
using Actors.Api.Access;
using Actors.Silo.CommandLine;
using Actors.Silo.CommandLine.Commands;
using Xunit;

namespace Actors.Tests.Integration.Api;

/// <summary>`./actors key list|rotate|revoke`, and what a key is made with.</summary>
public sealed class KeyLifeTests(ApiHost host) : IClassFixture<ApiHost>
{
    private readonly string name = $"key-{Guid.NewGuid():N}";

    [Theory]
    [InlineData("trigger")]
    [InlineData("read", "--scope", "read")]
    [InlineData("trigger,read", "--scope", "read", "--scope", "trigger")]
    [InlineData("trigger,read", "--scope", "read", "trigger", "read")]
    [InlineData("read,admin", "--scope", "admin,read")]
    public async Task A_key_has_the_scopes_that_were_asked_for(string scopes, params string[] options)
    {
        var key = await MakeAsync(["create", "--name", name, .. options]);

        Assert.Equal(
            scopes, await ApiKeysTable.ReadAsync<string>(host.Database, key, "array_to_string(scopes, ',')"));
    }

    [Theory]
    [InlineData("reed", "There is no scope 'reed'; did you mean 'read'?")]
    [InlineData("root", "There is no scope 'root'; there are trigger, read, admin.")]
    [InlineData("triger", "There is no scope 'triger'; did you mean 'trigger'?")]
    [InlineData("", "There is no scope ''; there are trigger, read, admin.")]
    public async Task A_scope_that_does_not_exist_is_refused_with_the_nearest_one_and_no_key_is_made(
        string scope, string said)
    {
        var failure = await Assert.ThrowsAsync<CommandFailure>(
            () => RunAsync("create", "--name", name, "--scope", scope));

        Assert.Equal((ExitCode.BadInput, said), (failure.Code, failure.Message));
        Assert.DoesNotContain(name, await ApiKeysTable.DumpAsync(host.Database), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("90d", "expires_at - created_at BETWEEN interval '89 days 23:59' AND interval '90 days'")]
    [InlineData("12h", "expires_at - created_at BETWEEN interval '11:59' AND interval '12:00'")]
    [InlineData("2035-01-31", "expires_at = '2035-01-31T00:00:00Z'")]
    [InlineData("2035-01-31T12:30:00Z", "expires_at = '2035-01-31T12:30:00Z'")]
    public async Task A_key_expires_when_it_was_asked_to(string expires, string condition)
    {
        var key = await MakeAsync("create", "--name", name, "--expires", expires);

        Assert.True(await ApiKeysTable.ReadAsync<bool>(host.Database, key, condition));
    }

    [Fact]
    public async Task A_rotated_key_and_its_successor_work_side_by_side_until_the_first_is_revoked_by_its_id()
    {
        var first = await MakeAsync("create", "--name", name, "--scope", "trigger", "--scope", "read");
        var (output, error) = await RunAsync("rotate", name);
        var second = Assert.IsType<ApiKey>(ApiKey.Parse(output.Trim()));

        Assert.Equal((404, 404), (await StatusAsync(first), await StatusAsync(second)));
        Assert.Equal(
            $"{name} trigger,read",
            await ApiKeysTable.ReadAsync<string>(
                host.Database, second, "concat_ws(' ', name, array_to_string(scopes, ','))"));
        var id = await ApiKeysTable.ReadAsync<string>(host.Database, first, "left(id::text, 8)");
        Assert.Contains($"./actors key revoke {id}", error, StringComparison.Ordinal);

        var refusal = await Assert.ThrowsAsync<CommandFailure>(() => RunAsync("revoke", name));
        Assert.StartsWith($"There are 2 live keys named '{name}':", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(id, refusal.Message, StringComparison.Ordinal);

        var (revoked, _) = await RunAsync("revoke", id);
        Assert.Equal($"Revoked the API key '{name}' ({id}): it is refused from now on.\n", revoked);
        Assert.Equal((401, 404), (await StatusAsync(first), await StatusAsync(second)));
    }

    [Fact]
    public async Task A_rotated_key_can_be_given_an_end()
    {
        var first = await MakeAsync("create", "--name", name);
        await MakeAsync("rotate", name, "--keep", "7d", "--expires", "90d");
        var third = await MakeAsync("rotate", name, "--keep", "30d");

        Assert.True(await ApiKeysTable.ReadAsync<bool>(
            host.Database, first, "expires_at < now() + interval '7 days'"));
        Assert.True(await ApiKeysTable.ReadAsync<bool>(host.Database, third, "expires_at IS NULL"));
        Assert.Equal(404, await StatusAsync(first));
    }

    [Fact]
    public async Task Of_two_that_rotate_at_once_each_makes_a_key_and_of_two_that_create_one_does()
    {
        var created = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            try
            {
                await RunAsync("create", "--name", name);
                return true;
            }
            catch (CommandFailure)
            {
                return false;
            }
        }));
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => RunAsync("rotate", name)));

        Assert.Single(created, made => made);
        var (list, _) = await RunAsync("list");
        Assert.Equal(4, list.Split('\n').Count(line => line.StartsWith(name, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_is_not_live_cannot_be_rotated()
    {
        await MakeAsync("create", "--name", name);
        await RunAsync("revoke", name);

        var revoked = await Assert.ThrowsAsync<CommandFailure>(() => RunAsync("rotate", name));
        var unknown = await Assert.ThrowsAsync<CommandFailure>(() => RunAsync("rotate", name + "x"));

        Assert.Equal(
            $"The key '{name}' is revoked; make a new one with: ./actors key create --name '{name}'", revoked.Message);
        Assert.Equal(
            $"There is no API key '{name}x'; did you mean '{name}'? `./actors key list` shows all.", unknown.Message);
    }

    [Fact]
    public async Task Revoking_twice_changes_nothing_and_says_so()
    {
        var key = await MakeAsync("create", "--name", name);
        await RunAsync("revoke", name);
        var first = await ApiKeysTable.ReadAsync<DateTime>(host.Database, key, "revoked_at");

        var (again, _) = await RunAsync("revoke", name);

        Assert.Contains("already; nothing was changed.", again, StringComparison.Ordinal);
        Assert.Equal(first, await ApiKeysTable.ReadAsync<DateTime>(host.Database, key, "revoked_at"));
    }

    [Fact]
    public async Task The_list_shows_every_key_with_its_state_and_never_the_key()
    {
        var key = await MakeAsync("create", "--name", name, "--scope", "admin", "--expires", "2035-01-31");
        Assert.Equal(404, await StatusAsync(key));
        var id = await ApiKeysTable.ReadAsync<string>(host.Database, key, "left(id::text, 8)");

        var (list, error) = await RunAsync("list");

        Assert.Equal("", error);
        Assert.StartsWith("NAME", list, StringComparison.Ordinal);
        var line = list.Split('\n').Single(line => line.StartsWith(name, StringComparison.Ordinal));
        Assert.Matches(
            $@"^{name}\s+{id}\s+admin\s+[-\d]+ [:\d]+Z\s+2035-01-31 00:00:00Z\s+[-\d]+ [:\d]+Z\s+live$", line);
        Assert.DoesNotContain(key.Reveal()[ApiKey.Prefix.Length..], list, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexStringLower(key.Hash()), list, StringComparison.Ordinal);
    }

    private async Task<int> StatusAsync(ApiKey key)
    {
        using var response = await host.PostAsync(ApiHost.NoAgency, key);
        return (int)response.StatusCode;
    }

    private async Task<ApiKey> MakeAsync(params string[] arguments)
    {
        var (output, _) = await RunAsync(arguments);
        return Assert.IsType<ApiKey>(ApiKey.Parse(output.Trim()));
    }

    private async Task<(string Output, string Error)> RunAsync(params string[] arguments)
    {
        var options = new GlobalOptions();
        var root = new RootCommand { options.Database, options.Data, KeyCommand.Create(options) };
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var parsed = root.Parse(["key", .. arguments, "--database", host.ConnectionString]);
        Assert.Empty(parsed.Errors);
        var code = await parsed.InvokeAsync(
            new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false },
            TestContext.Current.CancellationToken);
        Assert.Equal(0, code);
        return (output.ToString(), error.ToString());
    }
}
