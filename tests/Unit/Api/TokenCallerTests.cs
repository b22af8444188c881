using System.Text;
using System.Text.Json;
using Actors.Api.Access;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class TokenCallerTests
{
    private const string User = "aaaaaaaa-0000-4000-8000-000000000001";

    [Fact]
    public void A_user_is_known_by_its_id_and_its_whole_token_is_shown_to_policies()
    {
        var payload = $$$"""{"sub":"{{{User}}}","role":"authenticated","app_metadata":{"agency":7}}""";

        var caller = Of(payload);

        Assert.Equal(new Caller(User, User, CallerRole.User, payload), caller);
    }

    [Theory]
    [InlineData("ada@example.com", "ada@example.com")]
    [InlineData("", User)]
    [InlineData("two\\nlines", User)]
    [InlineData("a\\u0000b", User)]
    public void A_user_is_recorded_by_an_email_that_stands_on_one_line_and_else_by_its_id(string email, string name) =>
        Assert.Equal(name, Of($$"""{"sub":"{{User}}","role":"authenticated","email":"{{email}}"}""")?.Name);

    [Fact]
    public void What_users_call_themselves_is_nobodys_name() =>
        Assert.Equal(User, Of($$"""{"sub":"{{User}}","role":"authenticated","name":"billing"}""")?.Name);

    [Fact]
    public void The_platforms_own_service_needs_no_subject() => Assert.Equal(
        new Caller("service_role", "service_role", CallerRole.Service, """{"role":"service_role"}"""),
        Of("""{"role":"service_role"}"""));

    [Theory]
    [InlineData("billing", "service_role:billing")]
    [InlineData("", "service_role")]
    [InlineData("two\\nlines", "service_role")]
    public void Two_services_are_two_callers_by_their_subjects(string subject, string id) =>
        Assert.Equal(id, Of($$"""{"sub":"{{subject}}","role":"service_role"}""")?.Id);

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"role":"anon","sub":"aaaaaaaa-0000-4000-8000-000000000001"}""")]
    [InlineData("""{"role":"actors_admin","sub":"aaaaaaaa-0000-4000-8000-000000000001"}""")]
    [InlineData("""{"role":"Authenticated","sub":"aaaaaaaa-0000-4000-8000-000000000001"}""")]
    [InlineData("""{"role":["authenticated"],"sub":"aaaaaaaa-0000-4000-8000-000000000001"}""")]
    [InlineData("""{"role":"authenticated"}""")]
    [InlineData("""{"role":"authenticated","sub":null}""")]
    [InlineData("""{"role":"authenticated","sub":7}""")]
    [InlineData("""{"role":"authenticated","sub":"aaaaaaaa000040008000000000000001"}""")]
    [InlineData("""{"role":"authenticated","sub":"{aaaaaaaa-0000-4000-8000-000000000001}"}""")]
    [InlineData("""{"role":"authenticated","sub":"\ud800"}""")]
    [InlineData("""{"role":"\ud800"}""")]
    public void Whoever_has_another_role_or_no_id_is_nobody(string payload) => Assert.Null(Of(payload));

    [Theory]
    [InlineData("\"a\\u0000b\"")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"\\udfff\":1}")]
    [InlineData("1e400000")]
    public void Of_claims_that_PostgreSQL_cannot_read_only_who_it_is_remains(string value)
    {
        var caller = Of($$"""{"sub":"{{User}}","role":"authenticated","other":{{value}}}""");

        var claims = JsonDocument.Parse(caller!.Claims).RootElement;
        Assert.Equal(["role", "sub"], claims.EnumerateObject().Select(claim => claim.Name));
        Assert.Equal(User, claims.GetProperty("sub").GetString());
    }

    private static Caller? Of(string payload) => TokenCaller.Of(Encoding.UTF8.GetBytes(payload));
}
