using System.Text.Json;
using Actors.Tests.Integration.Api.Agencies;
using Xunit;

namespace Actors.Tests.Integration.Api.Jobs;

/// <summary>`GET /api/jobs/{id}`.</summary>
public sealed class JobDetailsTests(ListsApi api) : IClassFixture<ListsApi>
{
    [Fact]
    public async Task A_closed_run_names_what_failed_in_it()
    {
        var (job, agency) = (Guid.NewGuid(), Guid.NewGuid());
        await api.ExecuteAsync(
            $$"""
            INSERT INTO jobs_log (id, job_name, started_at, completed_at, status, metadata)
            VALUES ('{{job}}', 'update-installment-statuses', '2031-03-01T07:00Z', '2031-03-01T07:01Z', 'failed',
              '{"trigger": "reminder", "failures": [{"agency_id": "{{agency}}", "error": "boom"}]}')
            """);

        var one = await AgencyApi.ReadAsync(api.Reader, $"/api/jobs/{job}");

        Assert.Equal(
            $$"""[{"agencyId":"{{agency}}","error":"boom"}]""", one.GetProperty("failures").GetRawText());
        Assert.False(one.TryGetProperty("soFar", out _));
        Assert.Equal("reminder", one.GetProperty("trigger").GetString());
    }

    [Fact]
    public async Task A_run_that_is_going_on_tells_how_far_it_is()
    {
        var job = Guid.NewGuid();
        await api.ExecuteAsync(
            $$"""
            INSERT INTO jobs_log (id, job_name, started_at, status, metadata)
            VALUES ('{{job}}', 'update-installment-statuses', now(), 'running',
              '{"trigger": "api", "agencies_asked": 9}');
            INSERT INTO agency_runs (job_id, agency_id, cutoff_date, cutoff_at, serves_cutoff, trigger, started_at,
              completed_at, status, timezone, overdue_cutoff_time, resolution, tzdb_version, records_updated,
              installment_ids, error_message)
            SELECT '{{job}}', md5(agency::text)::uuid, date '2031-03-01' + day, now(), false, 'api', now(), now(),
                   status, 'UTC', '17:00', 'once', 'any', cardinality(ids), ids, error
            FROM (VALUES (1, 0, 'success', ARRAY[gen_random_uuid(), gen_random_uuid()], NULL),
                         (1, 1, 'success', ARRAY[gen_random_uuid()], NULL),
                         (2, 0, 'failed', '{}', 'boom'), (2, 1, 'failed', '{}', 'boom'))
              AS r (agency, day, status, ids, error);
            """);

        var one = await AgencyApi.ReadAsync(api.AdminUser, $"/api/jobs/{job}");

        Assert.Equal(
            """{"agencies":2,"agenciesFailed":1,"recordsUpdated":3}""", one.GetProperty("soFar").GetRawText());
        Assert.Equal(9, one.GetProperty("agenciesAsked").GetInt32());
        Assert.Equal(JsonValueKind.Null, one.GetProperty("agenciesTotal").ValueKind);
    }

    [Fact]
    public async Task What_is_not_there_and_what_is_not_ones_to_see_is_answered_in_the_same_words()
    {
        var hidden = SomeJob.At(SomeJob.Start);
        await SomeJob.AddAsync(api, hidden);

        foreach (var suffix in (string[])["", "/agencies"])
        {
            await NotFoundAsync(api.OtherUser, hidden.Id.ToString(), suffix);
            await NotFoundAsync(api.Reader, Guid.NewGuid().ToString(), suffix);
            await NotFoundAsync(api.Reader, "7", suffix);
            await NotFoundAsync(api.Reader, hidden.Id.ToString("B"), suffix);
        }

        var seen = await AgencyApi.ReadAsync(api.Reader, $"/api/jobs/{hidden.Id}");
        Assert.Equal("success", seen.GetProperty("status").GetString());

        static async Task NotFoundAsync(HttpClient http, string id, string suffix)
        {
            using var response = await AgencyApi.GetAsync(http, $"/api/jobs/{id}{suffix}");
            var problem = await ApiAssert.ProblemAsync(response, 404, "job-not-found");
            Assert.Equal($"No run has the id {id}.", problem.GetProperty("detail").GetString());
        }
    }

    [Fact]
    public async Task One_run_takes_no_query() =>
        Assert.NotEmpty(await ListsApi.RefusedAsync(api.Reader, $"/api/jobs/{Guid.NewGuid()}?limit=1", "limit"));
}
