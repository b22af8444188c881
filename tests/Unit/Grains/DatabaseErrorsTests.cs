using System.Net.Sockets;
using Actors.Grains;
using Npgsql;
using Xunit;

namespace Actors.Tests.Unit.Grains;

public sealed class DatabaseErrorsTests
{
    [Theory]
    [InlineData("08006", "the connection broke")]
    [InlineData("40001", "a serialization failure")]
    [InlineData("40P01", "a deadlock")]
    [InlineData("55P03", "a lock timeout")]
    [InlineData("57014", "a statement timeout")]
    [InlineData("57P01", "the server shuts down")]
    [InlineData("57P03", "the server starts up")]
    [InlineData("53300", "too many connections")]
    [InlineData("25006", "read-only in a failover")]
    public void What_may_pass_by_itself_is_worth_another_try(string state, string why) =>
        Assert.True(DatabaseErrors.IsTransient(Error(state)), why);

    [Theory]
    [InlineData("P0001", "an application's trigger says no")]
    [InlineData("23505", "a unique key")]
    [InlineData("42501", "a right is missing")]
    [InlineData("42P01", "a table is missing")]
    [InlineData("22023", "a zone that PostgreSQL does not know")]
    public void What_stays_wrong_is_not(string state, string why) =>
        Assert.False(DatabaseErrors.IsTransient(Error(state)), why);

    [Fact]
    public void Lost_connections_and_timeouts_are_worth_another_try_and_our_own_mistakes_are_not()
    {
        Assert.True(DatabaseErrors.IsTransient(new NpgsqlException("broken", new IOException())));
        Assert.True(DatabaseErrors.IsTransient(new TimeoutException()));
        Assert.True(DatabaseErrors.IsTransient(new SocketException()));
        Assert.True(DatabaseErrors.IsTransient(new AgencyIsBusyException("locked")));
        Assert.False(DatabaseErrors.IsTransient(new InvalidOperationException()));
        Assert.False(DatabaseErrors.IsTransient(new ArgumentException("wrong")));
    }

    [Fact]
    public void Only_a_lock_timeout_is_one()
    {
        Assert.True(DatabaseErrors.IsLockTimeout(Error("55P03")));
        Assert.False(DatabaseErrors.IsLockTimeout(Error("57014")));
        Assert.False(DatabaseErrors.IsLockTimeout(new TimeoutException()));
    }

    private static PostgresException Error(string state) => new("any", "ERROR", "ERROR", state);
}
