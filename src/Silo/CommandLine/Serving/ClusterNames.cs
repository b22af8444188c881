using System.Buffers;

namespace Actors.Silo.CommandLine.Serving;

/// <summary>Which silos belong together: those that give the same names on the same database.</summary>
/// <param name="ClusterId">The membership: silos of one cluster share the agencies among themselves.</param>
/// <param name="ServiceId">The reminders, which outlive any cluster.</param>
internal sealed record ClusterNames(string ClusterId, string ServiceId)
{
    public const string ClusterVariable = "ACTORS_CLUSTER";
    public const string ServiceVariable = "ACTORS_SERVICE";
    private const string Usual = "actors";
    private const int LongestName = 100;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    /// <exception cref="CommandFailure">A variable holds what is no name.</exception>
    public static ClusterNames FromEnvironment() => new(Named(ClusterVariable), Named(ServiceVariable));

    private static string Named(string variable)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrWhiteSpace(value)) return Usual;
        if (value.Length <= LongestName && !value.AsSpan().ContainsAnyExcept(Allowed)) return value;
        throw new CommandFailure(
            ExitCode.Usage,
            $"{variable} is '{value}'; expected is a name of up to {LongestName} letters, digits, '-', '_' and '.'.");
    }
}
