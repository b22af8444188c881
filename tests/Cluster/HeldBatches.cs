using Npgsql;

namespace Actors.Tests.Cluster;

/// <summary>Where a marking transaction is when something ends it.</summary>
public enum Within
{
    /// <summary>Its statement has marked and written everything, and has not ended.</summary>
    Statement,

    /// <summary>COMMIT was sent, and waits for a deferred trigger.</summary>
    Commit,
}

/// <summary>
/// Keeps the transactions that mark at one place, by a trigger of the test's own, until the test lets them go or their
/// server is stopped: so that what happens then happens in the middle of a batch, however fast the machine is.
/// </summary>
internal sealed class HeldBatches : IAsyncDisposable
{
    private const int Lock = 4_702;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly OwnPostgres database;
    private readonly Within place;
    private NpgsqlConnection? holder;

    private HeldBatches(OwnPostgres database, Within place) => (this.database, this.place) = (database, place);

    /// <summary>Makes the trigger, which lets everything pass for now.</summary>
    public static async Task<HeldBatches> PrepareAsync(OwnPostgres database, Within place)
    {
        var timing = place == Within.Commit
            ? "CONSTRAINT TRIGGER hold_batch AFTER INSERT ON agency_runs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            : "TRIGGER hold_batch AFTER INSERT ON agency_runs FOR EACH ROW";
        await database.ExecuteAsync(
            $"""
            CREATE OR REPLACE FUNCTION hold_batch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET lock_timeout = 0 AS $$
            BEGIN
              PERFORM pg_advisory_xact_lock_shared({Lock}, current_setting('faults.silo')::integer);
              RETURN NULL;
            END $$;
            CREATE {timing} EXECUTE FUNCTION hold_batch();
            """);
        return new HeldBatches(database, place);
    }

    /// <summary>From here on no transaction of these silos passes.</summary>
    public async Task HoldAsync(IEnumerable<SiloProcess> silos)
    {
        holder = await database.ConnectAsync();
        await using var hold = new NpgsqlCommand($"SELECT pg_advisory_lock({Lock}, n) FROM unnest($1) AS n", holder)
        {
            Parameters = { new() { Value = silos.Select(silo => silo.Number).ToArray() } },
        };
        await hold.ExecuteNonQueryAsync();
    }

    /// <summary>
    /// Waits until a transaction of one of these silos is there, and answers which: agencies live where Orleans has put
    /// them, and one batch may have taken all.
    /// </summary>
    public async Task<SiloProcess> FirstAsync(IReadOnlyList<SiloProcess> silos)
    {
        var numbers = silos.Select(silo => silo.Number).ToArray();
        IReadOnlyList<int> there = [];
        await Support.Eventually.HoldsAsync($"a silo has a batch in its {place}", Patience, async () =>
            (there = await database.ListAsync<int>(
                $"""
                SELECT l.objid::integer FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE l.locktype = 'advisory' AND l.classid = {Lock} AND NOT l.granted AND a.state = 'active'
                  AND l.objid::integer = ANY ($1) AND (upper(a.query) LIKE 'COMMIT%') = $2
                """, numbers, place == Within.Commit)).Count > 0);
        return silos.Single(silo => silo.Number == there[0]);
    }

    /// <summary>Lets them go.</summary>
    public async Task ReleaseAsync()
    {
        if (holder is not null) await holder.DisposeAsync();
        holder = null;
    }

    public async ValueTask DisposeAsync()
    {
        await ReleaseAsync();
        await database.ExecuteAsync("DROP TRIGGER hold_batch ON agency_runs");
    }
}
