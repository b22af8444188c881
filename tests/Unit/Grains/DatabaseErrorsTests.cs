using System.Net.Sockets;
using Actors.Grains;
using Actors.Grains.Interfaces;
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
    [InlineData("25P03", "the silo stood still in its transaction")]
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

    [Theory]
    [InlineData("25006", true)]
    [InlineData("25P03", true)]
    [InlineData("53100", true)]
    [InlineData("53300", true)]
    [InlineData("57P01", true)]
    [InlineData("57P03", true)]
    [InlineData("57014", false)]
    [InlineData("55P03", false)]
    [InlineData("40P01", false)]
    [InlineData("40001", false)]
    [InlineData("55000", false)]
    [InlineData("08001", false)]
    [InlineData("08006", false)]
    [InlineData("58030", false)]
    [InlineData("P0001", false)]
    public void An_outage_is_told_from_what_an_agency_may_have_brought_about(string state, bool isOutage) =>
        Assert.Equal((isOutage, !isOutage), (
            DatabaseErrors.IsOutage(Error(state)), DatabaseErrors.MayBeOfOneAgency(Error(state))));

    [Theory]
    [InlineData("08006")]
    [InlineData("08P01")]
    [InlineData("57P01")]
    public void An_error_that_ends_the_connection_is_no_agencys(string state)
    {
        var error = new PostgresException("any", "FATAL", "FATAL", state);
        Assert.True(DatabaseErrors.IsOutage(error));
        Assert.False(DatabaseErrors.MayBeOfOneAgency(error));
    }

    [Theory]
    [InlineData("25006")]
    [InlineData("53100")]
    [InlineData("57P01")]
    public void What_a_trigger_raises_in_words_of_its_own_is_an_agencys_whatever_code_it_takes(string state)
    {
        var error = new PostgresException("any", "ERROR", "ERROR", state, routine: "exec_stmt_raise");
        Assert.False(DatabaseErrors.IsOutage(error));
        Assert.True(DatabaseErrors.MayBeOfOneAgency(error));
    }

    [Fact]
    public void Of_what_no_statement_raised_only_our_own_mistakes_may_be_one_agencys()
    {
        Assert.False(DatabaseErrors.MayBeOfOneAgency(new NpgsqlException("broken", new IOException())));
        Assert.False(DatabaseErrors.MayBeOfOneAgency(new TimeoutException()));
        Assert.True(DatabaseErrors.MayBeOfOneAgency(new InvalidOperationException()));
    }

    [Fact]
    public void A_lost_connection_is_an_outage_and_a_busy_agency_is_none()
    {
        Assert.True(DatabaseErrors.IsOutage(new NpgsqlException("broken", new IOException())));
        Assert.False(DatabaseErrors.IsOutage(new AgencyIsBusyException("locked")));
    }

    [Fact]
    public void Neither_an_outage_nor_a_held_watermark_nor_a_held_table_is_an_agencys_fault_and_held_installments_are()
    {
        var held = new AgencyIsHeldException(new AgencyId(Guid.NewGuid()));
        var table = new TableIsLockedException("installments", "ShareLock", "process 4711", Error("55P03"));
        Assert.All([held, table, Error("57P01")], (Exception error) =>
        {
            Assert.True(DatabaseErrors.IsNoFaultOfAgency(error));
            Assert.True(DatabaseErrors.IsTransient(error));
            Assert.False(DatabaseErrors.MayBeOfOneAgency(error));
        });
        Assert.False(DatabaseErrors.IsOutage(table));
        Assert.False(DatabaseErrors.IsNoFaultOfAgency(new AgencyIsBusyException("installments are locked")));
        Assert.False(DatabaseErrors.IsNoFaultOfAgency(Error("P0001")));
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
