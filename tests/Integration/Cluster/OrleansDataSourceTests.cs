using Actors.Silo.Cluster;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Cluster;

public sealed class OrleansDataSourceTests(ClusterDatabase database) : IClassFixture<ClusterDatabase>
{
    private const string Server = "Host=127.0.0.1;Username=u;Password=p;Database=d";

    [Fact]
    public async Task Orleans_finds_its_queries_and_is_known_to_the_server_by_name()
    {
        await using var command = database.Orleans.CreateCommand(
            """
            SELECT current_setting('application_name'), current_setting('search_path'),
              (SELECT count(*) FROM OrleansQuery)
            """);
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());

        Assert.Equal("actors-orleans", reader.GetString(0));
        Assert.Equal("orleans", reader.GetString(1));
        Assert.Equal(17, reader.GetInt64(2));
    }

    [Theory]
    [InlineData("", 40)]
    [InlineData(";Maximum Pool Size=5;Minimum Pool Size=5", 40)]
    [InlineData(";MaxPoolSize=60", 60)]
    [InlineData(";Pooling=false", 40)]
    public async Task The_pool_is_never_smaller_than_a_refresh_of_reminders_needs(string setting, int expected)
    {
        await using var source = OrleansDataSource.Create(Server + setting);

        var settings = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        Assert.Equal(expected, settings.MaxPoolSize);
        Assert.True(settings.Pooling);
    }

    [Fact]
    public async Task What_the_application_set_for_itself_does_not_reach_Orleans()
    {
        await using var source = OrleansDataSource.Create(
            Server + ";Search Path=public;Application Name=actors;Timeout=300;Command Timeout=0;Enlist=true");

        var settings = new NpgsqlConnectionStringBuilder(source.ConnectionString);
        Assert.Equal("orleans", settings.SearchPath);
        Assert.Equal("actors-orleans", settings.ApplicationName);
        Assert.Equal(OrleansDataSource.TimeoutSeconds, settings.Timeout);
        Assert.Equal(OrleansDataSource.TimeoutSeconds, settings.CommandTimeout);
        Assert.False(settings.Enlist);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Hosst=127.0.0.1")]
    public void A_text_that_is_no_connection_string_is_refused(string text) =>
        Assert.ThrowsAny<ArgumentException>(() => OrleansDataSource.Create(text));
}
