using System.Globalization;
using NodaTime;
using Xunit;

namespace Actors.Tests.Integration.Api.Jobs;

/// <summary>`GET /api/jobs`: every filter alone and together, in pages, against the rule said in C#.</summary>
public sealed class JobFilterTests(JobFilterTests.Log log) : IClassFixture<JobFilterTests.Log>
{
    private static readonly string?[] Names = [null, SomeJob.Ours, "mail", "yearly-close", "nothing"];
    private static readonly string?[] Statuses = [null, "running", "success", "failed"];
    private static readonly string?[] Triggers = [null, "reminder", "catchUp", "watchdog", "api"];
    private static readonly string?[] Windows = [null, "to=2031-01-01T05:00:00Z", "from=2031-01-01T03:00:00%2B01:00"];

    public static TheoryData<string?, string?> NamesAndWindows =>
        [.. from name in Names from window in Windows select (name, window)];

    [Theory]
    [MemberData(nameof(NamesAndWindows))]
    public async Task Every_combination_of_filters_leaves_the_rows_that_it_should_in_order(
        string? name, string? window)
    {
        foreach (var status in Statuses)
        foreach (var trigger in Triggers)
        foreach (var agency in (Guid?[])[null, log.Agencies[0], Guid.Empty])
        {
            var path = "/api/jobs?" + string.Join('&', new[]
            {
                name is null ? null : $"job={name}", status is null ? null : $"status={status}",
                trigger is null ? null : $"trigger={trigger}", agency is null ? null : $"agency={agency}", window,
            }.Where(part => part is not null));
            var expected = log.Jobs
                .Where(job => name is null || job.Name == name)
                .Where(job => status is null || job.Status == status)
                .Where(job => trigger is null || job.Trigger == (trigger == "catchUp" ? "catch_up" : trigger))
                .Where(job => agency is null || job.Agencies.Contains(agency.Value))
                .Where(job => window is null || (window[0] == 't'
                    ? job.StartedAt < SomeJob.Start + Duration.FromHours(5)
                    : job.StartedAt >= SomeJob.Start + Duration.FromHours(2)))
                .OrderByDescending(job => job.StartedAt)
                .ThenByDescending(job => job.Id, Log.ByteOrder)
                .Select(job => job.Id);

            Assert.Equal(expected, await ListsApi.IdsAsync(log.Api.Reader, path, 17));
        }
    }

    /// <summary>400 jobs of eight instants, so that most of them share theirs with many.</summary>
    public sealed class Log : IAsyncLifetime
    {
        private const int Seed = 20_310_101;

        /// <summary>PostgreSQL orders UUIDs by their bytes as they are written.</summary>
        internal static readonly Comparer<Guid> ByteOrder = Comparer<Guid>.Create((left, right) =>
            string.CompareOrdinal(left.ToString("N", CultureInfo.InvariantCulture), right.ToString("N")));

        public ListsApi Api { get; } = new();

        public Guid[] Agencies { get; } = [Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid()];

        internal SomeJob[] Jobs { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            await Api.InitializeAsync();
            var random = new Random(Seed);
            Jobs = [.. Enumerable.Range(0, 400).Select(place => Some(random, place))];
            await SomeJob.AddAsync(Api, Jobs);
        }

        public ValueTask DisposeAsync() => Api.DisposeAsync();

        private SomeJob Some(Random random, int place)
        {
            var name = place == 7 ? "yearly-close" : random.Next(3) == 0 ? "mail" : SomeJob.Ours;
            var isOurs = name == SomeJob.Ours;
            return new SomeJob(
                Guid.NewGuid(),
                name,
                random.GetItems(["success", "success", "success", "failed", "running"], 1)[0],
                isOurs ? random.GetItems(["reminder", "reminder", "catch_up", "api"], 1)[0] : null,
                SomeJob.Start + Duration.FromHours(random.Next(8)),
                isOurs ? [.. Agencies.Where(_ => random.Next(3) == 0)] : []);
        }
    }
}
