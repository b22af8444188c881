using System.Net;
using System.Text.Json;
using Actors.Silo.CommandLine;
using Xunit;

namespace Actors.Tests.EndToEnd;

/// <summary>What a newcomer sees of `up`, and what programs that call it get.</summary>
public sealed class UpTests(RunningUp up) : IClassFixture<RunningUp>
{
    private const string RunAll = "/functions/v1/update-installment-statuses";

    [Fact]
    public async Task The_first_up_makes_everything_loads_the_sample_and_catches_it_up()
    {
        Assert.Matches(
            $"""
            ^Database: embedded PostgreSQL on 127\.0\.0\.1:\d+, in .+\.
            Schema: \d+ migrations applied\.
            Sample: .+
              agencies: 16 inserted, 0 unchanged\.
              plans: \d+ inserted, 0 unchanged\.
              installments: [\d,]+ inserted, 0 unchanged\.
              .+
            ready http://127\.0\.0\.1:{up.Port}$
            """.ReplaceLineEndings("\n"),
            string.Join('\n', up.Lines));
        await Eventually.TrueAsync(up.ConnectionString, SampleIsCaughtUp);
        Assert.True(await up.AskAsync<bool>(
            """
            SELECT sum(r.records_updated) = (
                SELECT count(*) FROM installments i JOIN payment_plans p ON p.id = i.payment_plan_id
                WHERE i.id IN (SELECT unnest(installment_ids) FROM agency_runs)
                  AND i.status = 'overdue' AND p.status = 'active')
              AND sum(r.records_updated) > 0
            FROM agency_runs r
            """));
    }

    [Fact]
    public async Task A_key_that_was_just_made_may_trigger_runs_and_nobody_else_may()
    {
        await Eventually.TrueAsync(up.ConnectionString, SampleIsCaughtUp);
        var agency = await up.AskAsync<Guid>("SELECT id FROM agencies WHERE timezone = 'Asia/Tokyo' LIMIT 1");
        var made = await up.RunAsync("key", "create", "--name", "end to end");
        Assert.Equal(0, made.ExitCode);
        Assert.Matches("^actors_[A-Za-z0-9_-]+$", made.Output);

        var one = await PostAsync($"/api/agencies/{agency}/runs", made.Output);
        var all = await PostAsync(RunAll, made.Output);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (one.Status, all.Status));
        Assert.Equal(agency, one.Body.GetProperty("agencyId").GetGuid());
        Assert.True(all.Body.GetProperty("success").GetBoolean());
        Assert.True(all.Body.GetProperty("agencies").GetArrayLength() >= 16);
        foreach (var key in new[] { null, "actors_no-such-key" })
        {
            var refused = await PostAsync(RunAll, key);
            Assert.Equal(
                (HttpStatusCode.Unauthorized, """{"error":"Unauthorized"}"""),
                (refused.Status, refused.Body.GetRawText()));
            Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync($"/api/agencies/{agency}/runs", key)).Status);
        }
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task It_is_alive_and_ready(string path)
    {
        using var answer = await up.Http.GetAsync(
            new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task An_agency_that_is_imported_meanwhile_is_served_by_its_reminder_and_not_early()
    {
        // Of several cutoffs close ahead, the first that the import is not too late for shows it.
        var now = await up.AskAsync<DateTime>("SELECT date_trunc('second', now() AT TIME ZONE 'UTC')");
        var rows = new[] { 10, 20, 40 }
            .Select(seconds => $"{Guid.NewGuid()},soon,{now.AddSeconds(seconds):HH:mm:ss},UTC");
        var file = up.Folder.Beside("soon.csv");
        await File.WriteAllLinesAsync(file, ["id,name,overdue_cutoff_time,timezone", .. rows]);

        var imported = await up.RunAsync("import", "agencies", file);

        Assert.StartsWith("agencies: 3 inserted, 0 unchanged.", imported.Output, StringComparison.Ordinal);
        const string Served = "FROM agency_runs r JOIN agencies a ON a.id = r.agency_id AND a.name = 'soon'";
        await Eventually.TrueAsync(up.ConnectionString, $"SELECT count(*) > 0 {Served} WHERE trigger = 'reminder'");
        Assert.True(await up.AskAsync<bool>(
            $"SELECT bool_and(completed_at >= cutoff_at AND serves_cutoff AND status = 'success') {Served}"));
    }

    [Fact]
    public async Task A_second_up_on_the_same_folder_is_told_where_the_first_is()
    {
        var second = await up.RunAsync("up");

        Refusal.Is(second, ExitCode.AlreadyRunning, $"(process {up.Id} at http://127.0.0.1:{up.Port})");
        Refusal.Is(await up.RunAsync("down"), ExitCode.AlreadyRunning, "stop it with Ctrl-C or SIGTERM");
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said_before_anything_is_made()
    {
        var elsewhere = up.Folder.Beside("elsewhere");

        var refused = await ChildProgram.RunActorsAsync("up", "--data", elsewhere, "--port", $"{up.Port}");

        Refusal.Is(refused, ExitCode.PortInUse, $"Port {up.Port} on 127.0.0.1 is taken");
        Assert.False(Directory.Exists(elsewhere));
    }

    [Fact]
    public void It_watches_no_files_where_the_embedded_PostgreSQL_writes_all_the_time()
    {
        var lines = Directory.EnumerateFiles($"/proc/{up.Id}/fdinfo").SelectMany(ReadLinesIfOpen).ToArray();

        Assert.NotEmpty(lines);
        Assert.DoesNotContain(lines, line => line.StartsWith("inotify ", StringComparison.Ordinal));

        static string[] ReadLinesIfOpen(string file)
        {
            try
            {
                return File.ReadAllLines(file);
            }
            catch (IOException)
            {
                return [];
            }
        }
    }

    [Fact]
    public async Task The_doctor_has_nothing_to_say_against_it()
    {
        await Eventually.TrueAsync(up.ConnectionString, SampleIsCaughtUp);

        var (code, report, error) = await up.RunAsync("doctor");

        Assert.Equal((0, ""), (code, error));
        Assert.DoesNotContain("problem ", report, StringComparison.Ordinal);
        Assert.Contains("served by an `up`", report, StringComparison.Ordinal);
    }

    /// <summary>Every agency has its first row, by the sweep, and its job is closed.</summary>
    private const string SampleIsCaughtUp =
        """
        SELECT (SELECT count(*) FROM agency_runs WHERE trigger = 'catch_up' AND agency_id IN (
                  SELECT id FROM agencies WHERE name <> 'soon')) >= 16
          AND NOT EXISTS (SELECT FROM jobs_log j JOIN agency_runs r ON r.job_id = j.id
                          WHERE r.trigger = 'catch_up' AND j.status <> 'success')
        """;

    private async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string path, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        if (key is not null) request.Headers.Add("X-API-Key", key);
        using var answer = await up.Http.SendAsync(request, TestContext.Current.CancellationToken);
        using var body = JsonDocument.Parse(
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        return (answer.StatusCode, body.RootElement.Clone());
    }
}
