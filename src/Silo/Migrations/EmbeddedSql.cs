using System.Reflection;

namespace Actors.Silo.Migrations;

/// <summary>Reads the SQL that travels inside an assembly.</summary>
internal static class EmbeddedSql
{
    /// <exception cref="InvalidOperationException">The assembly was built without that resource.</exception>
    public static string Read(Assembly assembly, string resource)
    {
        using var stream = assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"{assembly.GetName().Name} was built without {resource}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
