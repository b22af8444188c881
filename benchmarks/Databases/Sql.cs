namespace Actors.Benchmarks.Databases;

/// <summary>The statements that stand in `benchmarks/sql`.</summary>
internal static class Sql
{
    public static string Read(string name)
    {
        using var stream = typeof(Sql).Assembly.GetManifestResourceStream(name)
            ?? throw new ArgumentException($"There is no benchmarks/sql/{name}.", nameof(name));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
