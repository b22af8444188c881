using System.Diagnostics;
using Actors.Silo.Migrations;
using Actors.Tests.Support;
using Npgsql;
using Xunit;

namespace Actors.Tests.Integration.Migrations;

/// <summary>A database as a migration finds it, with what tests ask of it.</summary>
internal sealed class StartingDatabase : IAsyncDisposable
{
    /// <summary>The start that has nothing in it.</summary>
    public const string Empty = "";

    // The roles belong to the cluster: were they made by one test, taking that one down could drop them under another.
    private static readonly Lazy<Task> Roles = new(MakeRolesAsync);

    private readonly TestDatabase database;

    private StartingDatabase(TestDatabase database)
    {
        this.database = database;
        Source = NpgsqlDataSource.Create(database.ConnectionString);
    }

    public string ConnectionString => database.ConnectionString;

    public NpgsqlDataSource Source { get; }

    public MigrationRunner Runner => new(ConnectionString);

    /// <summary>The repository's root.</summary>
    public static string Root { get; } = FindRoot();

    /// <param name="start">A file of the folder Before, without its ending.</param>
    public static async Task<StartingDatabase> CreateAsync(string start = Empty)
    {
        await Roles.Value;
        var created = new StartingDatabase(await TestDatabase.CreateEmptyAsync());
        if (start != Empty)
            await created.ExecuteAsync(await File.ReadAllTextAsync(
                Path.Combine(Root, "tests/Integration/Migrations/Before", start + ".sql")));
        return created;
    }

    public static async Task<StartingDatabase> CreateMigratedAsync(string start = Empty)
    {
        var created = await CreateAsync(start);
        await created.Runner.UpAsync();
        return created;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> AskAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>A new login of this test's own; <see cref="DropLoginAsync"/> takes it away.</summary>
    public async Task<string> MakeLoginAsync(string attributes = "", params string[] memberOf)
    {
        var login = $"login_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE ROLE {login} LOGIN PASSWORD 'secret' {attributes}");
        foreach (var role in memberOf) await ExecuteAsync($"GRANT {role} TO {login}");
        return login;
    }

    public Task DropLoginAsync(string login) =>
        ExecuteAsync($"GRANT {login} TO CURRENT_USER; DROP OWNED BY {login}; DROP ROLE {login}");

    public string ConnectionStringAs(string login) =>
        new NpgsqlConnectionStringBuilder(ConnectionString)
        {
            Username = login,
            Password = "secret",
            Pooling = false,
        }.ConnectionString;

    /// <summary>
    /// The schema as pg_dump writes it, without comments and what differs from one run of it to the next.
    /// </summary>
    public Task<string> DumpSchemaAsync() => DumpAsync("--schema-only");

    /// <summary>The rows of all tables, in the order of their text.</summary>
    public async Task<string> DumpRowsAsync() => string.Join(
        '\n', (await DumpAsync("--data-only", "--inserts")).Split('\n').Order(StringComparer.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <summary>A connection URL as psql takes it.</summary>
    public string Url
    {
        get
        {
            var parts = new NpgsqlConnectionStringBuilder(ConnectionString);
            return $"postgres://{parts.Username}:{parts.Password}@{parts.Host}:{parts.Port}/{parts.Database}";
        }
    }

    /// <summary>The folder of PostgreSQL's client programs; empty where they are on the path.</summary>
    public static string ClientPrograms { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.GetDirectories("/usr/lib/postgresql").Order().Select(folder => Path.Combine(folder, "bin"))
            .Last(folder => File.Exists(Path.Combine(folder, "pg_dump")))
        : "";

    private async Task<string> DumpAsync(params string[] options)
    {
        var start = new ProcessStartInfo(Path.Combine(ClientPrograms, "pg_dump"), [.. options, Url])
        {
            RedirectStandardOutput = true,
        };
        using var dump = Process.Start(start)!;
        var text = await dump.StandardOutput.ReadToEndAsync();
        await dump.WaitForExitAsync();
        Assert.Equal(0, dump.ExitCode);
        return string.Join('\n', text.Split('\n').Where(line =>
            line.Length > 0 && !line.StartsWith("--", StringComparison.Ordinal)
            && !line.StartsWith('\\') && !line.StartsWith("SET ", StringComparison.Ordinal)));
    }

    private static async Task MakeRolesAsync()
    {
        await using var database = await TestDatabase.CreateEmptyAsync();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand(
            """
            DO $$
            DECLARE
              statement TEXT;
            BEGIN
              FOREACH statement IN ARRAY ARRAY[
                'CREATE ROLE anon NOLOGIN', 'CREATE ROLE authenticated NOLOGIN', 'CREATE ROLE service_role NOLOGIN',
                'CREATE ROLE actors_silo LOGIN INHERIT', 'CREATE ROLE actors_api LOGIN NOINHERIT',
                'CREATE ROLE actors_trigger NOLOGIN', 'CREATE ROLE actors_reader NOLOGIN',
                'CREATE ROLE actors_admin NOLOGIN', 'GRANT service_role TO actors_silo',
                'GRANT anon, authenticated, service_role TO actors_api',
                'GRANT actors_trigger, actors_reader, actors_admin TO actors_api',
                'GRANT actors_trigger, actors_reader, actors_admin, authenticated, service_role TO CURRENT_USER'
              ] LOOP
                BEGIN
                  EXECUTE statement;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END;
              END LOOP;
            END
            $$
            """);
        await command.ExecuteNonQueryAsync();
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Actors.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
