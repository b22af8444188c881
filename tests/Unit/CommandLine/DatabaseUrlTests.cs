using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Npgsql;
using Xunit;

namespace Actors.Tests.Unit.CommandLine;

public sealed class DatabaseUrlTests
{
    [Theory]
    [InlineData("postgres://u:p@h:5433/d", "h", 5433, "u", "p", "d")]
    [InlineData("postgresql://u:p@h/d", "h", 5432, "u", "p", "d")]
    [InlineData("  postgres://u@h  ", "h", 5432, "u", null, null)]
    [InlineData("postgres://u%40x:p%3A%2F%25%20@h/my%20db", "h", 5432, "u@x", "p:/% ", "my db")]
    [InlineData("postgres://u:p@ss@h/d", "h", 5432, "u", "p@ss", "d")]
    [InlineData("postgres://u:p:q@h/d", "h", 5432, "u", "p:q", "d")]
    [InlineData("postgres://u:@h:/d", "h", 5432, "u", "", "d")]
    [InlineData("postgres://u:p@[::1]:5433/d", "::1", 5433, "u", "p", "d")]
    [InlineData("postgres://u:p@[2001:db8::7]/d", "2001:db8::7", 5432, "u", "p", "d")]
    [InlineData("postgres://u:p@%2Fvar%2Frun%2Fpostgresql/d", "/var/run/postgresql", 5432, "u", "p", "d")]
    [InlineData("postgres:///d?host=h&port=5433&user=u&password=p", "h", 5433, "u", "p", "d")]
    [InlineData("Host=h;Port=5433;Username=u;Password=a://b;Database=d", "h", 5433, "u", "a://b", "d")]
    [InlineData("Server=h;User Id=u;Password=p;Database=d", "h", 5432, "u", "p", "d")]
    public void A_database_is_named_by_a_url_or_a_connection_string(
        string text, string host, int port, string user, string? password, string? database)
    {
        var builder = DatabaseUrl.Parse(text);

        Assert.Equal(
            (host, port, user, password, database),
            (builder.Host, builder.Port, builder.Username, builder.Password, builder.Database));
    }

    [Fact]
    public void The_parameters_of_a_url_become_npgsql_keywords()
    {
        var builder = DatabaseUrl.Parse(
            "postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fca.pem&application_name=a%20b&connect_timeout=3"
            + "&target_session_attrs=read-write&channel_binding=require");

        Assert.Equal(SslMode.VerifyFull, builder.SslMode);
        Assert.Equal("/ca.pem", builder.RootCertificate);
        Assert.Equal("a b", builder.ApplicationName);
        Assert.Equal(3, builder.Timeout);
        Assert.Equal("read-write", builder.TargetSessionAttributes);
        Assert.Equal(ChannelBinding.Require, builder.ChannelBinding);
    }

    [Fact]
    public void Several_hosts_are_kept_as_they_stand()
    {
        var builder = DatabaseUrl.Parse("postgres://u@one:5432,two:5433/d?target_session_attrs=primary");

        Assert.Equal("one:5432,two:5433", builder.Host);
        Assert.Equal("postgres://u@one:5432,two:5433/d?target_session_attrs=primary", DatabaseUrl.Format(builder));
    }

    [Theory]
    [InlineData("mysql://u:geheim@h/d", "postgres://")]
    [InlineData("postgres://u:geheim@h:port/d", "port")]
    [InlineData("postgres://u:geheim@h:70000/d", "65535")]
    [InlineData("postgres://u:geh%eim@h/d", "%25")]
    [InlineData("postgres://u:geheim/x@h/d", "%2F")]
    [InlineData("postgres://u:geheim@::1/d", "port")]
    [InlineData("postgres://u:geheim@[::1/d", "brackets")]
    [InlineData("postgres://u:geheim@/d", "no host")]
    [InlineData("postgres://u:geheim@h/d?sslmod=require", "'sslmod'")]
    [InlineData("postgres://u:geheim@h/d?sslmode=sometimes", "'sslmode'")]
    [InlineData("Host=h;Pasword=geheim", "'pasword'")]
    [InlineData("Host=h;Port=geheim", "'port'")]
    [InlineData("Username=u;Password=geheim", "no host")]
    [InlineData("geheim", "connection string")]
    [InlineData("", "no host")]
    public void What_cannot_be_read_is_named_without_the_password(string text, string named)
    {
        var failure = Assert.Throws<CommandFailure>(() => DatabaseUrl.Parse(text));

        Assert.Equal(ExitCode.Usage, failure.Code);
        Assert.Contains(named, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres://u:p@h:5433/d")]
    [InlineData("postgres://u%40x:p%3A%2F%25%20@h:5432/my%20db")]
    [InlineData("postgres://u:p@[::1]:5433/d")]
    [InlineData("postgres://u@%2Fvar%2Frun%2Fpostgresql:5432/d")]
    [InlineData("postgres://u@h:5432/d?sslmode=verify-full&application_name=a%20b&connect_timeout=3")]
    [InlineData("postgres://u@h:5432/d?sslmode=verify-ca")]
    public void A_url_comes_back_as_it_was(string url) =>
        Assert.Equal(url, DatabaseUrl.Format(DatabaseUrl.Parse(url)));

    [Fact]
    public void What_only_npgsql_knows_is_not_in_the_url() => Assert.Equal(
        "postgres://u:p@h:5432/d",
        DatabaseUrl.Format(DatabaseUrl.Parse("Host=h;Username=u;Password=p;Database=d;Pooling=false")));
}
