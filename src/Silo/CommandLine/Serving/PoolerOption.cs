using System.CommandLine;
using Actors.Silo.Database;
using Actors.Silo.Hosting;

namespace Actors.Silo.CommandLine.Serving;

/// <summary>The option `--pooler`, of every command that serves.</summary>
internal static class PoolerOption
{
    public const string Variable = "ACTORS_POOLER";

    public static Option<string?> Create() => new("--pooler")
    {
        Description = "A pgbouncer in transaction mode before the database, for the pools of grains and API; the rest "
            + $"goes to the database directly. Default: {Variable}, else none.",
        HelpName = "postgres://HOST:PORT",
    };

    /// <summary>The pooler that was named; null for none.</summary>
    /// <exception cref="CommandFailure">What was given is no address, or says more than an address.</exception>
    public static Pooler? Find(Option<string?> option, ParseResult arguments)
    {
        var given = arguments.GetValue(option);
        if (string.IsNullOrWhiteSpace(given)) given = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrWhiteSpace(given)) return null;
        return AddressIn(given) ?? throw new CommandFailure(
            ExitCode.Usage,
            $"The pooler ({option.Name} or {Variable}) is named by its address alone, as in postgres://HOST:6432: "
            + "login, password and database are those of the database itself.");
    }

    private static Pooler? AddressIn(string given)
    {
        try
        {
            var named = DatabaseUrl.Parse(given);
            return named is { Username: null, Password: null, Database: null }
                ? new Pooler(named.Host!, named.Port, named.ShouldSerialize("SSL Mode") ? named.SslMode : null)
                : null;
        }
        catch (CommandFailure)
        {
            // Its sentence is about the database's name.
            return null;
        }
    }
}
