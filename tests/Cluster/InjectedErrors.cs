using System.Globalization;

namespace Actors.Tests.Cluster;

/// <summary>
/// Makes the next statements that mark fail, and those after them succeed, by a trigger of the test's own. A sequence
/// counts, which no rollback takes back.
/// </summary>
internal sealed class InjectedErrors : IAsyncDisposable
{
    private readonly OwnPostgres database;
    private readonly int times;

    private InjectedErrors(OwnPostgres database, int times) => (this.database, this.times) = (database, times);

    /// <param name="database">Where.</param>
    /// <param name="times">How many fail.</param>
    /// <param name="statement">In PL/pgSQL: by what.</param>
    public static async Task<InjectedErrors> StartAsync(OwnPostgres database, int times, string statement)
    {
        await database.ExecuteAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"""
            CREATE SEQUENCE injected_errors;
            CREATE FUNCTION inject_error() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
            BEGIN
              IF nextval('public.injected_errors') <= {times} THEN {statement}; END IF;
              RETURN NEW;
            END $$;
            CREATE TRIGGER inject_error BEFORE INSERT ON agency_runs FOR EACH ROW EXECUTE FUNCTION inject_error();
            """));
        return new InjectedErrors(database, times);
    }

    /// <summary>Waits until all of them have been met.</summary>
    public Task AreMetAsync() => Support.Eventually.HoldsAsync($"{times} statements have failed", async () =>
        (await database.ListAsync<long>("SELECT last_value FROM injected_errors"))[0] > times);

    public async ValueTask DisposeAsync() => await database.ExecuteAsync(
        "DROP TRIGGER inject_error ON agency_runs; DROP FUNCTION inject_error(); DROP SEQUENCE injected_errors");
}
