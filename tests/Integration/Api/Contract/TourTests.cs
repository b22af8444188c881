using System.Text;
using Xunit;

namespace Actors.Tests.Integration.Api.Contract;

/// <summary>The tour of the API that people run in their editors does what it says.</summary>
public sealed class TourTests(OpenProcess process) : IClassFixture<OpenProcess>
{
    private static readonly string[] OfTheBody = ["Content-Type"];

    [Fact]
    public async Task Every_step_of_the_tour_is_answered_as_it_foretells()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var tour = HttpFile.Parse(await File.ReadAllTextAsync(TourPath, cancellationToken));
        tour.Set("host", process.Http.BaseAddress!.ToString().TrimEnd('/'));
        tour.Set("key", process.Key);
        tour.Set("agency", await process.ReadAsync<string>("SELECT id::text FROM agencies ORDER BY name LIMIT 1"));
        using var http = new HttpClient();

        Assert.NotEmpty(tour.Requests);
        foreach (var step in tour.Requests)
        {
            using var request = new HttpRequestMessage(new HttpMethod(step.Method), tour.Fill(step.Address));
            foreach (var (name, value) in step.Headers.Where(header => !OfTheBody.Contains(header.Name)))
                request.Headers.TryAddWithoutValidation(name, tour.Fill(value));
            if (step.Body is not null)
                request.Content = new StringContent(tour.Fill(step.Body), Encoding.UTF8, "application/json");
            using var answer = await http.SendAsync(
                request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var isStream = answer.Content.Headers.ContentType?.MediaType == "text/event-stream";
            var body = isStream ? "" : await answer.Content.ReadAsStringAsync(cancellationToken);
            Assert.True((int)answer.StatusCode == step.Expected, $"{step.Title}: {answer.StatusCode}, {body}");
            if (step.Name is { } named) tour.Keep(named, answer, body);
        }
    }

    private static string TourPath
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Actors.sln")))
                folder = folder.Parent;
            return Path.Combine(folder!.FullName, "src", "Api", "tour.http");
        }
    }
}
