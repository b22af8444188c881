using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Actors.Tests.Unit.Tidy;

/// <summary>The files of this checkout that people write, as text.</summary>
internal static class Repository
{
    private static readonly string[] NotOurs = ["bin", "obj", ".git", ".actors", "TestResults"];

    public static string Root { get; } = FindRoot();

    /// <summary>
    /// Paths relative to the root, with forward slashes, that match a pattern such as `^src/.*\.cs$`.
    /// </summary>
    public static IReadOnlyList<SourceFile> Files(string pattern) =>
        [.. Walk(Root)
            .Where(file => Regex.IsMatch(file.Path, pattern))
            .OrderBy(file => file.Path, StringComparer.Ordinal)];

    public static bool Exists(string path) =>
        File.Exists(Path.Combine(Root, path)) || Directory.Exists(Path.Combine(Root, path));

    private static IEnumerable<SourceFile> Walk(string folder)
    {
        foreach (var path in Directory.EnumerateFiles(folder))
            yield return new SourceFile(Path.GetRelativePath(Root, path).Replace('\\', '/'));
        foreach (var inner in Directory.EnumerateDirectories(folder))
        {
            if (NotOurs.Contains(Path.GetFileName(inner), StringComparer.Ordinal)) continue;
            foreach (var file in Walk(inner)) yield return file;
        }
    }

    private static string FindRoot([CallerFilePath] string thisFile = "")
    {
        var folder = Path.GetDirectoryName(thisFile);
        while (folder is not null && !File.Exists(Path.Combine(folder, "Actors.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException($"No Actors.sln above {thisFile}.");
    }
}

/// <summary>One file, named relative to the root.</summary>
internal sealed record SourceFile(string Path)
{
    public string[] Lines => File.ReadAllLines(System.IO.Path.Combine(Repository.Root, Path));

    public string Text => File.ReadAllText(System.IO.Path.Combine(Repository.Root, Path));
}
