using System.CommandLine;
using System.Globalization;

namespace Actors.Silo.CommandLine.Serving;

/// <summary>A port as somebody names it, in an option or a variable: 1 to 65535.</summary>
internal static class PortNumber
{
    public static Option<int?> Option(string name, string description)
    {
        var option = new Option<int?>(name) { Description = description, HelpName = "N" };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && In(token.Value) is null)
                result.AddError($"{name} is '{token.Value}'; expected is a number from 1 to 65535.");
        });
        return option;
    }

    /// <summary>Null where the variable is not set, or empty.</summary>
    /// <exception cref="CommandFailure">It holds something else.</exception>
    public static int? FromEnvironment(string variable)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrWhiteSpace(value)) return null;
        return In(value) ?? throw new CommandFailure(
            ExitCode.Usage, $"{variable} is '{value}'; expected is a number from 1 to 65535.");
    }

    private static int? In(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65_535
            ? port
            : null;
}
