using System.Text;
using Actors.Silo.CommandLine;
using Actors.Silo.Import;
using Actors.Silo.Migrations;
using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Import;

/// <summary>A database with the tables that imports go to, and what tests ask of it.</summary>
internal sealed class ImportDatabase : IAsyncDisposable
{
    /// <summary>Tables as a predecessor left them, before any migration of ours.</summary>
    private const string StatusAsEnum = """
        CREATE TABLE agencies (
          id uuid PRIMARY KEY, name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
        CREATE TYPE plan_status AS ENUM ('active', 'completed', 'cancelled');
        CREATE TYPE installment_status AS ENUM ('draft', 'pending', 'paid', 'partial', 'overdue', 'cancelled');
        CREATE TABLE payment_plans (
          id uuid PRIMARY KEY, agency_id uuid NOT NULL REFERENCES agencies ON DELETE CASCADE,
          status plan_status NOT NULL DEFAULT 'active', created_at timestamptz DEFAULT now());
        CREATE TABLE installments (
          id uuid PRIMARY KEY, payment_plan_id uuid NOT NULL REFERENCES payment_plans ON DELETE CASCADE,
          amount numeric(12,2), student_due_date date,
          status installment_status NOT NULL DEFAULT 'pending', created_at timestamptz DEFAULT now());
        """;

    private readonly TestDatabase database;

    private ImportDatabase(TestDatabase database)
    {
        this.database = database;
        ConnectionString = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }
            .ConnectionString;
    }

    /// <summary>Without a pool, so that what a test changes about the database holds for what follows.</summary>
    public string ConnectionString { get; }

    public static async Task<ImportDatabase> CreateAsync() => new(await TestDatabase.CreateMigratedAsync());

    public static async Task<ImportDatabase> CreateWithEnumsAsync()
    {
        var database = new ImportDatabase(await TestDatabase.CreateEmptyAsync());
        await database.ExecuteAsync(StatusAsEnum);
        await new MigrationRunner(database.ConnectionString).UpAsync();
        return database;
    }

    /// <summary>With an agency (`Id('a', 1)`) and a plan (`Id('b', 1)`) already in it.</summary>
    public static async Task<ImportDatabase> CreateWithPlanAsync()
    {
        var database = await CreateAsync();
        await database.ExecuteAsync($"""
            INSERT INTO agencies (id, name) VALUES ('{Id('a', 1)}', 'First');
            INSERT INTO payment_plans (id, agency_id, status) VALUES ('{Id('b', 1)}', '{Id('a', 1)}', 'active');
            """);
        return database;
    }

    public static string Id(char kind, int number) => $"{kind}0000000-0000-4000-8000-{number:D12}";

    public Task<ImportResult> ImportAsync(ImportKind kind, string csv) =>
        ImportAsync(kind, Encoding.UTF8.GetBytes(csv));

    public async Task<ImportResult> ImportAsync(ImportKind kind, byte[] csv)
    {
        using var stream = new MemoryStream(csv);
        return await CsvImport.RunAsync(
            ConnectionString, kind, stream, "file.csv", TestContext.Current.CancellationToken);
    }

    /// <summary>Imports a file that must fail, and holds that nothing at all has changed.</summary>
    /// <returns>The message.</returns>
    public Task<string> FailToImportAsync(ImportKind kind, string csv, ExitCode code = ExitCode.BadInput) =>
        FailToImportAsync(kind, Encoding.UTF8.GetBytes(csv), code);

    public async Task<string> FailToImportAsync(ImportKind kind, byte[] csv, ExitCode code = ExitCode.BadInput)
    {
        var before = await ContentAsync();
        var failure = await Assert.ThrowsAsync<CommandFailure>(() => ImportAsync(kind, csv));
        Assert.Equal(code, failure.Code);
        Assert.Contains("othing was imported.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, await ContentAsync());
        return failure.Message;
    }

    /// <summary>Every row of every table, as text.</summary>
    public async Task<string[]> ContentAsync() =>
    [
        .. await RowsAsync("SELECT 'zone ' || name FROM supported_timezones ORDER BY name"),
        .. await RowsAsync("SELECT a::text FROM agencies a ORDER BY id"),
        .. await RowsAsync("SELECT p::text FROM payment_plans p ORDER BY id"),
        .. await RowsAsync("SELECT i::text FROM installments i ORDER BY id"),
    ];

    /// <summary>The first column of every row, as text.</summary>
    public async Task<string[]> RowsAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync()) rows.Add(reader.GetString(0));
        return [.. rows];
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();
}

/// <summary>One database for all tests that change nothing in it, as a failing import does not.</summary>
public sealed class UnchangedDatabase : IAsyncLifetime
{
    internal ImportDatabase Database { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Database = await ImportDatabase.CreateWithPlanAsync();

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
