namespace Actors.Benchmarks.Measuring;

/// <summary>
/// A Markdown file with a section for each benchmark. A benchmark that is run again replaces its own and leaves the
/// others.
/// </summary>
internal sealed class ResultsFile(string path)
{
    private const string Head =
        """
        # Results

        Written by `./actors bench`. Only ratios within one section count: its contenders were measured in turn on one
        machine and one PostgreSQL, on copies of the same data; times are medians.
        """;

    /// <summary>The file that stands in the repository.</summary>
    public const string Usual = "benchmarks/RESULTS.md";

    /// <param name="name">The benchmark; its heading.</param>
    /// <param name="body">What comes under it.</param>
    public async Task ReplaceAsync(string name, string body)
    {
        var sections = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (File.Exists(path))
        {
            var text = await File.ReadAllTextAsync(path);
            foreach (var section in text.Split("\n## ").Skip(1))
            {
                var end = section.IndexOf('\n', StringComparison.Ordinal);
                sections[section[..end].Trim()] = section[(end + 1)..].Trim();
            }
        }

        sections[name] = body.Trim();
        var parts = sections.Select(section => $"## {section.Key}\n\n{section.Value}\n");
        await File.WriteAllTextAsync(path, Head + "\n\n" + string.Join('\n', parts));
    }
}
