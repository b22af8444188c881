using System.Net;
using Actors.Silo.CommandLine;
using Actors.Silo.Hosting;
using Actors.Silo.Migrations;
using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Hosting;

public sealed class SchemaGateTests
{
    [Fact]
    public async Task A_silo_refuses_to_start_on_a_schema_that_is_behind_and_names_the_command()
    {
        await using var database = await TestDatabase.CreateMigratedAsync();
        await new MigrationRunner(database.ConnectionString).DownAsync();

        var refusal = await RefusalAsync(database);

        Assert.Equal(ExitCode.SchemaMismatch, refusal.Code);
        Assert.Contains("./actors migrate up", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silo_refuses_to_start_on_a_schema_that_is_ahead_and_says_what_to_do()
    {
        await using var database = await TestDatabase.CreateMigratedAsync();
        await using (var owner = NpgsqlDataSource.Create(database.ConnectionString))
        await using (var newer = owner.CreateCommand(
            """
            INSERT INTO actors.schema_migrations (version, domain, name, checksum)
            SELECT '999/001', '999_later_domain', 'of_a_newer_version', checksum FROM actors.schema_migrations LIMIT 1
            """))
            await newer.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var refusal = await RefusalAsync(database);

        Assert.Equal(ExitCode.SchemaMismatch, refusal.Code);
        Assert.Contains("999/001", refusal.Message, StringComparison.Ordinal);
    }

    private static async Task<CommandFailure> RefusalAsync(TestDatabase database)
    {
        await using var host = ActorsHost.Build(new SiloSettings
        {
            SiloConnectionString = database.SiloConnectionString,
            Ports = SiloPorts.FindAny(IPAddress.Loopback),
            IsAlone = true,
        });
        return await Assert.ThrowsAsync<CommandFailure>(() => host.StartAsync(TestContext.Current.CancellationToken));
    }
}
