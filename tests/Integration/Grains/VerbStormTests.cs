using Actors.Grains.Interfaces;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Grains;

/// <summary>
/// Days on which people pause, resume and undo while cutoffs pass and payments come in, several of them at one moment.
/// What must hold at the end is asked of the database alone.
/// </summary>
public sealed class VerbStormTests(GrainWorld world) : IClassFixture<GrainWorld>
{
    private const int Days = 8;

    [Theory]
    [InlineData(1, "2031-01-10T00:00:00Z")]
    [InlineData(2, "2031-03-20T00:00:00Z")]
    [InlineData(3, "2031-06-10T00:00:00Z")]
    [InlineData(4, "2031-10-20T00:00:00Z")]
    public async Task Whatever_people_do_at_once_no_date_is_lost_or_doubled_and_what_is_paid_stays_paid(
        int seed, string from)
    {
        await world.ClearAsync();
        var random = new Random(seed);
        var agencies = new List<Guid>();
        foreach (var zone in (string[])["UTC", "Europe/London", "Asia/Tokyo"])
        {
            agencies.Add(await world.AddServedAgencyAsync(from, zone));
            for (var day = -3; day < Days; day++)
            {
                for (var i = 0; i < 3; i++)
                    await world.AddInstallmentAsync(agencies[^1], Due(from, day));
            }
        }

        var start = GrainWorld.At(from);
        for (var now = start; now < start + Duration.FromDays(Days); now += Duration.FromMinutes(random.Next(20, 400)))
        {
            world.Clock.Now = now;
            await Task.WhenAll(Enumerable.Range(0, random.Next(2, 9))
                .Select(_ => SomethingAsync(random.Next(), agencies[random.Next(agencies.Count)])).ToList());
        }

        world.Clock.Now = start + Duration.FromDays(Days);
        foreach (var agency in agencies)
        {
            await world.Grain(agency).ResumeAsync("the end", "any", ResumeMode.CatchUp);
            await world.BringUpToDateAsync(agency);
        }

        await world.Coordinator.SweepAsync();
        foreach (var (what, sql) in MustBeNone) Assert.True(await CountAsync(sql, agencies) == 0, what);
        // A storm in which nothing happened would prove nothing.
        Assert.NotEqual(0, await CountAsync(
            "SELECT count(*) FROM agency_run_undos WHERE agency_id = ANY ($1)", agencies));
        Assert.NotEqual(0, await CountAsync(
            "SELECT count(*) FROM agency_runs WHERE agency_id = ANY ($1) AND status = 'skipped'", agencies));
    }

    /// <summary>Counts of what must not be, over the agencies of one storm.</summary>
    private static readonly (string What, string Sql)[] MustBeNone =
    [
        ("Every date has exactly one row that serves it.",
            """
            SELECT count(*) FROM (
              SELECT FROM agency_runs WHERE agency_id = ANY ($1) AND serves_cutoff GROUP BY agency_id
              HAVING count(*) <> max(cutoff_date) - min(cutoff_date) + 1) AS holes
            """),
        ("Every date is served or skipped.",
            "SELECT count(*) FROM agency_runs WHERE agency_id = ANY ($1) AND status = 'failed'"),
        ("The watermark is the ledger's latest date.",
            """
            SELECT count(*) FROM agency_cutoffs c WHERE agency_id = ANY ($1) AND last_cutoff_date <> (
              SELECT max(cutoff_date) FROM agency_runs r WHERE r.agency_id = c.agency_id AND serves_cutoff)
            """),
        ("Nothing is marked before its cutoff has passed.",
            """
            SELECT count(*) FROM agency_runs r JOIN installments i ON i.id = ANY (r.installment_ids)
            WHERE r.agency_id = ANY ($1) AND (i.student_due_date > r.cutoff_date OR r.cutoff_at > r.started_at)
            """),
        ("What is paid stays paid.",
            "SELECT count(*) FROM installments WHERE amount = 0 AND status <> 'paid' AND $1::uuid[] IS NOT NULL"),
        ("What is overdue was marked by a run that is not undone, and what is pending by none.",
            """
            SELECT count(*) FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id
            WHERE p.agency_id = ANY ($1) AND i.status <> 'paid' AND (i.status = 'overdue') <> EXISTS (
              SELECT FROM agency_runs r WHERE r.agency_id = p.agency_id AND i.id = ANY (r.installment_ids)
                AND NOT EXISTS (SELECT FROM agency_run_undos u
                                WHERE u.agency_run_id = r.id AND i.id = ANY (u.restored_ids)))
            """),
        ("What was due by the last cutoff and is not paid is overdue.",
            """
            SELECT count(*) FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id
            JOIN agency_cutoffs c ON c.agency_id = p.agency_id
            WHERE p.agency_id = ANY ($1) AND i.status = 'pending' AND i.student_due_date < c.last_cutoff_date
              AND NOT EXISTS (SELECT FROM agency_run_undos u WHERE i.id = ANY (u.restored_ids))
              AND NOT EXISTS (SELECT FROM agency_runs r WHERE r.agency_id = p.agency_id AND r.status = 'skipped'
                                AND r.cutoff_date = c.last_cutoff_date)
            """),
        ("An undo restores and leaves out what its run had marked, and nothing else.",
            """
            SELECT count(*) FROM agency_run_undos u JOIN agency_runs r ON r.id = u.agency_run_id
            WHERE u.agency_id = ANY ($1) AND (
              NOT u.restored_ids <@ r.installment_ids
              OR cardinality(u.restored_ids) + jsonb_array_length(u.left_out) <> r.records_updated)
            """),
        ("What jobs_log counts is what the ledger counts.",
            """
            SELECT count(*) FROM jobs_log j
            WHERE j.id IN (SELECT job_id FROM agency_runs WHERE agency_id = ANY ($1)) AND (j.status <> 'success'
              OR j.records_updated <> (SELECT sum(records_updated) FROM agency_runs r WHERE r.job_id = j.id))
            """),
        ("No run and no agency fails.",
            "SELECT count(*) FROM alerts WHERE kind <> 'cutoff_late' AND $1::uuid[] IS NOT NULL"),
    ];

    private static string Due(string from, int day) =>
        GrainWorld.At(from).InUtc().Date.PlusDays(day).ToString("R", null);

    private async Task SomethingAsync(int chance, Guid agency)
    {
        var grain = world.Grain(agency);
        switch (chance % 10)
        {
            case 0:
                await grain.PauseAsync("somebody", "any");
                break;
            case 1 or 2:
                await grain.ResumeAsync("somebody", "any", chance % 3 == 0 ? ResumeMode.CatchUp : ResumeMode.Skip);
                break;
            case 3 or 4:
                await UndoAsync(agency);
                break;
            case 5:
                await PayAsync(agency);
                break;
            case 6:
                await world.BringUpToDateAsync(agency, RunTrigger.Api);
                break;
            default:
                await world.BringUpToDateAsync(agency);
                break;
        }
    }

    private async Task UndoAsync(Guid agency)
    {
        var runs = await world.ListAsync<Guid>(
            "SELECT id FROM agency_runs WHERE agency_id = $1 AND records_updated > 0 ORDER BY id LIMIT 2", agency);
        await Task.WhenAll(runs.Select(run => world.Grain(agency).UndoRunAsync(run, "somebody", "any")));
    }

    /// <summary>Pays any one that is not paid, and writes so on the row.</summary>
    private Task PayAsync(Guid agency) => world.ExecuteAsync(
        """
        UPDATE installments SET status = 'paid', amount = 0
        WHERE id = (SELECT i.id FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id
                    WHERE p.agency_id = $1 AND i.status <> 'paid' ORDER BY i.id LIMIT 1)
        """, agency);

    private Task<long> CountAsync(string sql, List<Guid> agencies) => world.ReadAsync<long>(sql, agencies.ToArray());
}
