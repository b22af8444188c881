using System.Diagnostics;

namespace Actors.Tests.Cluster;

/// <summary>
/// A disk of its own under all tables of a database, a tmpfs of some megabytes, that a test fills and frees; and a
/// trigger that takes room for each row of the ledger, since a few rows find some in pages that are there. Needs root
/// and the right to mount.
/// </summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly OwnPostgres database;
    private readonly string folder;

    private SmallDisk(OwnPostgres database, string folder) => (this.database, this.folder) = (database, folder);

    private string Filling => Path.Combine(folder, "filling");

    /// <summary>Moves every table there; null where this machine does not let us mount.</summary>
    public static async Task<SmallDisk?> TryUnderAsync(OwnPostgres database)
    {
        var disk = new SmallDisk(database, $"{database.Folder}-disk");
        Directory.CreateDirectory(disk.folder);
        if (!Environment.IsPrivilegedProcess
            || !await RunAsync("mount", "-t", "tmpfs", "-o", "size=64m,mode=0755", "actors-faults", disk.folder))
        {
            Directory.Delete(disk.folder);
            return null;
        }

        var tables = Path.Combine(disk.folder, "tables");
        Directory.CreateDirectory(tables);
        await RunAsync("chown", $"--reference={database.ClusterFolder}", tables);
        await database.ExecuteAsync($"CREATE TABLESPACE small_disk LOCATION '{tables}'");
        await database.ExecuteAsync(MoveAllTo("small_disk"));
        await database.ExecuteAsync(
            """
            CREATE TABLE ballast (random text) TABLESPACE small_disk;
            ALTER TABLE ballast ALTER random SET STORAGE EXTERNAL;
            CREATE FUNCTION take_room() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
              INSERT INTO public.ballast SELECT repeat(md5(random()::text), 300);
              RETURN NULL;
            END $$;
            CREATE TRIGGER take_room AFTER INSERT ON agency_runs FOR EACH ROW EXECUTE FUNCTION take_room();
            """);
        return disk;
    }

    /// <summary>To the last byte.</summary>
    public async Task FillAsync()
    {
        await using var file = new FileStream(
            Filling, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var page = new byte[4_096];
        try
        {
            while (true) await file.WriteAsync(page);
        }
        catch (IOException)
        {
            // It is full.
        }
    }

    public void Free() => File.Delete(Filling);

    public async ValueTask DisposeAsync()
    {
        Free();
        await database.ExecuteAsync(
            "DROP TRIGGER take_room ON agency_runs; DROP FUNCTION take_room(); DROP TABLE ballast");
        await database.ExecuteAsync(MoveAllTo("pg_default"));
        await database.ExecuteAsync("CHECKPOINT");
        await database.ExecuteAsync("DROP TABLESPACE small_disk");
        // Sessions may still hold files of it that are deleted.
        await RunAsync("umount", "--lazy", folder);
        Directory.Delete(folder);
    }

    private static string MoveAllTo(string tablespace) =>
        $$"""
        DO $$
        DECLARE
          v_relation record;
        BEGIN
          FOR v_relation IN
            SELECT c.oid::regclass AS name, c.relkind FROM pg_class c
            WHERE c.relkind IN ('r', 'i') AND c.relpersistence = 'p'
              AND c.relnamespace::regnamespace::text IN ('public', 'orleans')
            ORDER BY c.relkind DESC
          LOOP
            EXECUTE format('ALTER %s %s SET TABLESPACE {{tablespace}}',
              CASE v_relation.relkind WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END, v_relation.name);
            -- One after the other: silos hold these tables in an order of their own.
            COMMIT;
          END LOOP;
        END $$
        """;

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }
}
