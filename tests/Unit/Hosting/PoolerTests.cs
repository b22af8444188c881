using Actors.Silo.Hosting;
using Npgsql;
using Xunit;

namespace Actors.Tests.Unit.Hosting;

public sealed class PoolerTests
{
    [Fact]
    public void Login_and_database_stay_and_what_belongs_to_a_session_goes()
    {
        var direct = "Host=db;Port=5432;Username=u;Password=p;Database=d;Search Path=x;Options=-c a=b;Timezone=UTC;"
            + "Max Auto Prepare=20;SSL Mode=Require";

        var pooled = new NpgsqlConnectionStringBuilder(new Pooler("bouncer", 6432).Through(direct));

        Assert.Equal(("bouncer", 6432), (pooled.Host, pooled.Port));
        Assert.Equal(("u", "p", "d", SslMode.Require),
            (pooled.Username, pooled.Password, pooled.Database, pooled.SslMode));
        Assert.Equal((null, null, null), (pooled.SearchPath, pooled.Options, pooled.Timezone));
        Assert.Equal((0, true), (pooled.MaxAutoPrepare, pooled.NoResetOnClose));
    }

    [Fact]
    public void The_way_to_the_pooler_may_be_encrypted_otherwise() => Assert.Equal(
        SslMode.Disable,
        new NpgsqlConnectionStringBuilder(
            new Pooler("h", 1, SslMode.Disable).Through("Host=db;SSL Mode=Require")).SslMode);
}
