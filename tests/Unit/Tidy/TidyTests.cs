using System.Text.RegularExpressions;
using Xunit;

namespace Actors.Tests.Unit.Tidy;

/// <summary>
/// Reads the repository and holds it to its own rules. A failure names the file, the line, and what to write instead.
/// </summary>
public sealed class TidyTests
{
    /// <summary>A line that names what is forbidden in order to forbid or to explain it.</summary>
    private static bool IsComment(string line) => Regex.IsMatch(line, @"^\s*(--|//|///|\*|#)");

    [Fact]
    public void No_source_asks_the_wall_clock() => NoLine(
        @"^(src|tests)/.*\.cs$",
        @"\bDateTime(Offset)?\.(Utc)?Now\b|\bDateTime\.Today\b|\bSystemClock\.Instance\b",
        "take an Instant as a parameter, or use a TimeProvider",
        except: "tests/Unit/Tidy/");

    [Fact]
    public void No_SQL_takes_a_date_from_the_session() => NoLine(
        @"^(sql|src)/.*\.(sql|cs)$",
        @"CURRENT_DATE|CURRENT_TIME\b|LOCALTIMESTAMP|now\(\)::date|TimeZoneInfo",
        "pass the instant or the date as a parameter");

    [Fact]
    public void No_test_sleeps() => NoLine(
        @"^tests/.*\.cs$",
        @"\bTask\.Delay\(|\bThread\.Sleep\(",
        "await an event that the code emits, or move a fake clock",
        except: "tests/Unit/Tidy/");

    [Fact]
    public void Nothing_is_left_undone_or_skipped() => NoLine(
        @"^(src|sql|tests)/.*\.(cs|sql)$|^actors$",
        @"\bTODO\b|\bFIXME\b|\bHACK\b|NotImplementedException|\(Skip\s*=",
        "finish it, or take it out",
        except: "tests/Unit/Tidy/",
        inComments: true);

    [Fact]
    public void Lines_have_at_most_120_characters()
    {
        var tooLong = Repository.Files(@"^(src|tests)/.*\.cs$|^sql/.*\.sql$|^actors$|^\.ci/run$")
            .SelectMany(file => file.Lines.Select((line, index) => (file.Path, Number: index + 1, line.Length)))
            .Where(line => line.Length > 120)
            .Select(line => $"{line.Path}:{line.Number} has {line.Length} characters; break it before 120");
        HoldsForAll(tooLong);
    }

    [Fact]
    public void Source_files_are_rooms_that_a_reader_knows()
    {
        var tooLong = Repository.Files(@"^(src|tests)/.*\.cs$")
            .Select(file => (file.Path, file.Lines.Length))
            .Where(file => file.Length > 320)
            .Select(file => $"{file.Path} has {file.Length} lines; move what belongs together into a file of its own");
        HoldsForAll(tooLong);
    }

    [Fact]
    public void Every_migration_can_be_taken_back()
    {
        var orphans = Repository.Files(@"^sql/\d{3}_[^/]+/\d{3}_[^/.]+\.sql$")
            .Where(up => !Repository.Exists(up.Path[..^4] + ".down.sql"))
            .Select(up => $"{up.Path} has no {up.Path[..^4]}.down.sql beside it");
        HoldsForAll(orphans);
        Assert.NotEmpty(Repository.Files(@"^sql/\d{3}_[^/]+/\d{3}_[^/.]+\.sql$"));
    }

    [Fact]
    public void Every_domain_can_be_verified()
    {
        var domains = Repository.Files(@"^sql/\d{3}_").Select(file => file.Path.Split('/')[1]).Distinct();
        HoldsForAll(domains.Where(domain => !Repository.Exists($"sql/{domain}/verify.sql"))
            .Select(domain => $"sql/{domain}/verify.sql is missing; it raises when something of the domain is"));
    }

    [Theory]
    [InlineData("src/Grains.Interfaces", new[] { "Grains", "Api", "Silo" })]
    [InlineData("src/Grains", new[] { "Api", "Silo" })]
    [InlineData("src/Api", new[] { "Grains", "Silo" })]
    public void Dependencies_point_one_way(string project, string[] forbidden)
    {
        var text = Repository.Files($"^{project}/[^/]+\\.csproj$").Single().Text;
        HoldsForAll(forbidden.Where(name => text.Contains($"/{name}.csproj", StringComparison.Ordinal))
            .Select(name => $"{project} refers to {name}; say what it needs as a contract in src/Grains.Interfaces"));
    }

    [Fact]
    public void Paths_that_the_documents_name_are_there()
    {
        var missing = Repository.Files(@"^[^/]+\.md$|^docs/.*\.md$")
            .SelectMany(file => Regex.Matches(file.Text, @"(?<=[\(`])(?:src|sql|tests|docs)/[\w./-]+(?=[\)`])")
                .Select(match => (file.Path, Named: match.Value.TrimEnd('/'))))
            .Where(link => !link.Named.Contains("NNN", StringComparison.Ordinal) && !Repository.Exists(link.Named))
            .Select(link => $"{link.Path} names {link.Named}, which is not there");
        HoldsForAll(missing);
    }

    [Fact]
    public void Folders_are_named_after_what_they_are_for()
    {
        var vague = Repository.Files(@"^(src|tests)/.*/(Helpers|Common|Utils|Services|Models|Managers)/")
            .Select(file => $"{file.Path}: name the folder after the slice that it belongs to");
        HoldsForAll(vague);
    }

    private static void HoldsForAll(IEnumerable<string> complaints) =>
        Assert.True(!complaints.Any(), string.Join('\n', complaints));

    private static void NoLine(
        string files, string forbidden, string instead, string? except = null, bool inComments = false)
    {
        var offences = Repository.Files(files)
            .Where(file => except is null || !file.Path.StartsWith(except, StringComparison.Ordinal))
            .SelectMany(file => file.Lines.Select((line, index) => (file.Path, Number: index + 1, Text: line)))
            .Where(line => Regex.IsMatch(line.Text, forbidden) && (inComments || !IsComment(line.Text)))
            .Select(line => $"{line.Path}:{line.Number}: '{line.Text.Trim()}'; {instead}");
        HoldsForAll(offences);
    }
}
