using System.Text;
using System.Text.Json;
using Actors.Api.Contract;
using Actors.Tests.Unit.Tidy;
using Xunit;

namespace Actors.Tests.Unit.Api;

public sealed class ApiDocumentTests
{
    private const string Committed = "src/Api/openapi.json";

    [Fact]
    public async Task The_contract_is_the_one_that_was_reviewed()
    {
        var reviewed = await File.ReadAllTextAsync(
            Path.Combine(Repository.Root, Committed), TestContext.Current.CancellationToken);
        Assert.True(
            reviewed == await DocumentAsync(),
            $"The API is no longer what {Committed} says. If that is meant: ./actors openapi > {Committed}, read the "
            + "difference as those who call the API will, and commit it.");
    }

    [Fact]
    public async Task Every_address_says_what_it_does_who_may_and_how_it_can_fail()
    {
        using var document = JsonDocument.Parse(await DocumentAsync());
        var complaints = new List<string>();
        foreach (var path in document.RootElement.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                var name = $"{operation.Name.ToUpperInvariant()} {path.Name}";
                var responses = operation.Value.GetProperty("responses").EnumerateObject().ToArray();
                if (!operation.Value.TryGetProperty("summary", out _)) complaints.Add($"{name} has no summary");
                if (!operation.Value.TryGetProperty("security", out _)) complaints.Add($"{name} names no credential");
                if (!responses.Any(response => response.Name[0] == '2')) complaints.Add($"{name} never succeeds");
                complaints.AddRange(((string[])["401", "403", "429"])
                    .Where(status => !responses.Any(response => response.Name == status))
                    .Select(status => $"{name} does not declare {status}"));
            }
        }

        Assert.Empty(complaints);
    }

    [Fact]
    public async Task Every_description_speaks_of_the_API_and_not_of_its_source()
    {
        using var document = JsonDocument.Parse(await DocumentAsync());
        // Two words in one are a name; the document's own schemas are called after some of them.
        var types = typeof(ApiDocument).Assembly.GetTypes().Select(type => type.Name)
            .Where(name => name.Skip(1).Any(char.IsUpper) && name.All(char.IsLetter)).ToHashSet();

        Assert.Empty(
            from text in Descriptions(document.RootElement)
            from word in text.Split([' ', '.', ',', ';', ':', '`', '(', ')', '\n'])
            where types.Contains(word)
            select $"{word}: {text}");
    }

    private static IEnumerable<string> Descriptions(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Descriptions),
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member =>
            member.Name is "description" or "summary" && member.Value.ValueKind == JsonValueKind.String
                ? [member.Value.GetString()!]
                : Descriptions(member.Value)),
        _ => [],
    };

    private static async Task<string> DocumentAsync()
    {
        using var document = new MemoryStream();
        await ApiDocument.WriteAsync(document, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(document.ToArray());
    }
}
