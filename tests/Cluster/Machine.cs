using System.Diagnostics.CodeAnalysis;
using Xunit;

namespace Actors.Tests.Cluster;

/// <summary>What a test needs of the machine beyond what every machine has.</summary>
internal static class Machine
{
    /// <summary>
    /// Skips the test where this could not be made; but in the gate, as root, there is no excuse: a proof that is left
    /// out there would be missed by nobody.
    /// </summary>
    public static void Require([NotNull] object? made, string whyNot)
    {
        var isGate = Environment.GetEnvironmentVariable("CI") is "true" && Environment.IsPrivilegedProcess;
        Assert.False(made is null && isGate, $"In the gate, as root, this must not be skipped: {whyNot}");
        Assert.SkipWhen(made is null, whyNot);
        if (made is null) throw new InvalidOperationException(whyNot);
    }
}
