using System.Text.Json;
using Actors.Api.Access;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class ApiKeyScopesTests
{
    [Theory]
    [InlineData("", CallerRole.Trigger, "")]
    [InlineData("trigger", CallerRole.Trigger, "trigger")]
    [InlineData("read", CallerRole.Reader, "read")]
    [InlineData("read,trigger", CallerRole.Reader, "trigger,read")]
    [InlineData("admin", CallerRole.Admin, "trigger,read,admin")]
    [InlineData("trigger,admin,read", CallerRole.Admin, "trigger,read,admin")]
    [InlineData("Admin,root", CallerRole.Trigger, "")]
    public void The_highest_scope_is_the_role_and_admin_has_them_all(string words, CallerRole role, string admitted)
    {
        var scopes = ApiKeyScopes.Of(words.Split(','));

        Assert.Equal(role, scopes.Role);
        Assert.Equal(admitted, string.Join(',', ApiKeyScopes.Known.Where(scopes.Admit)));
    }

    [Fact]
    public void A_key_tells_PostgreSQL_its_role_its_name_and_its_id()
    {
        var key = new StoredApiKey(Guid.NewGuid(), "billing \"1\"", [], ApiKeyScopes.Of(["read"]), true, false);

        var caller = key.ToCaller();

        Assert.Equal((key.Id.ToString(), key.Name, CallerRole.Reader), (caller.Id, caller.Name, caller.Role));
        var claims = JsonDocument.Parse(caller.Claims).RootElement;
        Assert.Equal("actors_reader", claims.GetProperty("role").GetString());
        Assert.Equal(key.Name, claims.GetProperty("name").GetString());
        Assert.Equal(key.Id, claims.GetProperty("key_id").GetGuid());
    }
}
