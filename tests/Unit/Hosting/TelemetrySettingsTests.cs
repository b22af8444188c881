using Actors.Silo.CommandLine;
using Actors.Silo.Hosting;
using Xunit;

namespace Actors.Tests.Unit.Hosting;

public sealed class TelemetrySettingsTests
{
    [Fact]
    public void Nothing_is_sent_or_served_unless_somebody_asks_for_it() =>
        Assert.Equal(new TelemetrySettings(), TelemetrySettings.From(_ => null));

    [Theory]
    [InlineData(TelemetrySettings.CollectorVariable, "http://collector:4317")]
    [InlineData(TelemetrySettings.MetricsVariable, "1")]
    [InlineData(TelemetrySettings.LogVariable, "json")]
    public void Each_variable_switches_one_thing_on(string variable, string value) =>
        Assert.NotEqual(
            new TelemetrySettings(), TelemetrySettings.From(asked => asked == variable ? value : null));

    [Theory]
    [InlineData(TelemetrySettings.CollectorVariable, "collector")]
    [InlineData(TelemetrySettings.CollectorVariable, "/tmp/x")]
    [InlineData(TelemetrySettings.MetricsVariable, "yes")]
    [InlineData(TelemetrySettings.LogVariable, "JSON")]
    public void A_value_that_is_none_is_refused_with_what_is_expected(string variable, string value)
    {
        var failure = Assert.Throws<CommandFailure>(
            () => TelemetrySettings.From(asked => asked == variable ? value : null));
        Assert.Contains($"{variable} is '{value}'; expected is", failure.Message, StringComparison.Ordinal);
    }
}
