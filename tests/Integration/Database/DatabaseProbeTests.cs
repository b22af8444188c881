using System.Net;
using System.Net.Sockets;
using Actors.Silo.CommandLine;
using Actors.Silo.Database;
using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Database;

public sealed class DatabaseProbeTests : IAsyncLifetime
{
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateEmptyAsync();

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task A_database_that_answers_and_can_be_written_is_taken() =>
        await DatabaseProbe.EnsureUsableAsync(database.ConnectionString, CancellationToken.None);

    [Fact]
    public async Task A_port_where_nothing_listens_is_named()
    {
        // A listener that never accepts keeps others from the port; once it is stopped, nothing listens.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var failure = await RefusedAsync(b => (b.Host, b.Port) = ("127.0.0.1", port));

        Assert.Equal(ExitCode.DatabaseUnreachable, failure.Code);
        Assert.Contains($":{port} does not answer (connection refused)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_no_postgresql_is_named()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var answered = AnswerInHttpAsync(listener);

        var failure = await RefusedAsync(b => (b.Host, b.Port) = ("127.0.0.1", port));

        Assert.Equal(ExitCode.DatabaseUnreachable, failure.Code);
        listener.Stop();
        await answered;
    }

    [Fact]
    public async Task A_wrong_password_is_a_missing_right_and_is_not_repeated()
    {
        var failure = await RefusedAsync(b => b.Password = "geheim");

        Assert.Equal(ExitCode.MissingRights, failure.Code);
        Assert.Contains("password authentication failed", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("geheim", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_does_not_exist_is_named()
    {
        var failure = await RefusedAsync(b => b.Database = "no_such_database");

        Assert.Equal(ExitCode.DatabaseUnsuitable, failure.Code);
        Assert.Contains("no_such_database", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_that_may_only_read_is_refused()
    {
        var login = $"reader_{Guid.NewGuid():N}";
        await RunAsync(
            $"CREATE ROLE {login} LOGIN PASSWORD 'reads'; ALTER ROLE {login} SET default_transaction_read_only = on");
        try
        {
            var failure = await RefusedAsync(b => (b.Username, b.Password) = (login, "reads"));

            Assert.Equal(ExitCode.DatabaseUnsuitable, failure.Code);
            Assert.Contains("read-only", failure.Message, StringComparison.Ordinal);
        }
        finally
        {
            await RunAsync($"DROP ROLE {login}");
        }
    }

    [Fact]
    public async Task A_right_that_is_refused_later_is_explained()
    {
        var refused = await Assert.ThrowsAsync<PostgresException>(() => RunAsync("CREATE EXTENSION file_fdw"));

        Assert.Equal(ExitCode.MissingRights, DatabaseProbe.Explain(refused)?.Code);
    }

    [Fact]
    public async Task An_error_in_a_statement_is_no_matter_of_the_connection()
    {
        var wrong = await Assert.ThrowsAsync<PostgresException>(() => RunAsync("SELECT 1 / 0"));

        Assert.Null(DatabaseProbe.Explain(wrong));
    }

    private static async Task AnswerInHttpAsync(TcpListener listener)
    {
        using var client = await listener.AcceptTcpClientAsync();
        await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
    }

    private async Task<CommandFailure> RefusedAsync(Action<NpgsqlConnectionStringBuilder> change)
    {
        var builder = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Timeout = 5 };
        change(builder);
        return await Assert.ThrowsAsync<CommandFailure>(
            () => DatabaseProbe.EnsureUsableAsync(builder.ConnectionString, CancellationToken.None));
    }

    private async Task RunAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
