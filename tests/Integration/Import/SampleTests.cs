using Actors.Silo.CommandLine;
using Actors.Silo.Sample;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Import;

public sealed class SampleTests
{
    private static readonly Instant Now = Instant.FromUtc(2026, 3, 14, 23, 58, 30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_sample_has_every_zone_and_every_status(bool enums)
    {
        await using var database = enums
            ? await ImportDatabase.CreateWithEnumsAsync()
            : await ImportDatabase.CreateAsync();
        var results = await SampleLoader.LoadAsync(database.ConnectionString, Now, CancellationToken.None);

        Assert.Equal(16, results![0].Inserted);
        Assert.Equal(
            ["14"],
            await database.RowsAsync(
                "SELECT count(*)::text FROM supported_timezones z WHERE name IN (SELECT timezone FROM agencies)"));
        Assert.Equal(
            ["cancelled", "draft", "overdue", "paid", "partial", "pending"],
            await database.RowsAsync("SELECT DISTINCT status::text FROM installments ORDER BY status::text"));
        Assert.Equal(
            enums ? ["active", "cancelled", "completed"] : ["active", "cancelled", "completed", "draft", "paused"],
            await database.RowsAsync("SELECT DISTINCT status::text FROM payment_plans ORDER BY status::text"));
    }

    [Fact]
    public async Task A_database_with_an_agency_gets_no_sample()
    {
        await using var database = await ImportDatabase.CreateWithPlanAsync();
        var before = await database.ContentAsync();
        Assert.Null(await SampleLoader.LoadAsync(database.ConnectionString, Now, CancellationToken.None));
        Assert.Equal(before, await database.ContentAsync());
    }

    [Fact]
    public async Task Two_that_start_at_once_load_the_sample_once()
    {
        await using var database = await ImportDatabase.CreateAsync();
        var loads = await Task.WhenAll(Enumerable.Range(0, 3).Select(
            _ => SampleLoader.LoadAsync(database.ConnectionString, Now, CancellationToken.None)));
        Assert.Single(loads, results => results is not null);
        Assert.Equal(["16"], await database.RowsAsync("SELECT count(*)::text FROM agencies"));
    }

    [Fact]
    public async Task A_sample_that_cannot_be_loaded_whole_is_not_loaded_at_all()
    {
        await using var database = await ImportDatabase.CreateAsync();
        await database.ExecuteAsync("ALTER TABLE installments ADD installment_number int NOT NULL");
        var before = await database.ContentAsync();
        var failure = await Assert.ThrowsAsync<CommandFailure>(
            () => SampleLoader.LoadAsync(database.ConnectionString, Now, CancellationToken.None));
        Assert.Equal(ExitCode.DatabaseUnsuitable, failure.Code);
        Assert.Equal(before, await database.ContentAsync());
    }
}
