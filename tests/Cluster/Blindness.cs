namespace Actors.Tests.Cluster;

/// <summary>
/// Keeps one silo from reading and writing the membership, so that it does not learn that the others have declared it
/// dead, and goes on: a policy of the test's own lets its statements fail. They must not wait there: what they had
/// locked before would keep the others from declaring anything.
/// </summary>
internal static class Blindness
{
    public static Task PrepareAsync(OwnPostgres database) => database.ExecuteAsync(
        """
        CREATE TABLE blind (silo integer PRIMARY KEY);
        CREATE FUNCTION may_see_members() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          IF EXISTS (SELECT FROM public.blind WHERE silo = current_setting('faults.silo', true)::integer) THEN
            RAISE EXCEPTION 'the membership cannot be seen from here';
          END IF;
          RETURN true;
        END $$;
        CREATE POLICY may_see_members ON orleans.silos USING (public.may_see_members()) WITH CHECK (true);
        ALTER TABLE orleans.silos ENABLE ROW LEVEL SECURITY;
        """);

    public static Task StrikeAsync(OwnPostgres database, SiloProcess silo) =>
        database.ExecuteAsync("INSERT INTO blind VALUES ($1)", silo.Number);

    public static Task EndAsync(OwnPostgres database) => database.ExecuteAsync("DELETE FROM blind");
}
