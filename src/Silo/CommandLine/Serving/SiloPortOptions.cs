using System.CommandLine;
using System.Net;
using Actors.Silo.Hosting;

namespace Actors.Silo.CommandLine.Serving;

/// <summary>`--silo-port` and `--gateway-port`: where other silos and API processes call this one.</summary>
internal sealed class SiloPortOptions
{
    public Option<int?> Silo { get; } = PortNumber.Option(
        "--silo-port", $"The port for other silos. Default: {SiloPorts.Usual.Silo}, or one above it that is free.");

    public Option<int?> Gateway { get; } = PortNumber.Option(
        "--gateway-port", $"The port for API processes. Default: {SiloPorts.Usual.Gateway}, or one above it.");

    /// <exception cref="CommandFailure">A port that was asked for is taken, or both are the same.</exception>
    public PortReservation Reserve(ParseResult arguments, IPAddress address)
    {
        var (silo, gateway) = (arguments.GetValue(Silo), arguments.GetValue(Gateway));
        if (silo is not null && silo == gateway)
            throw new CommandFailure(ExitCode.Usage, "--silo-port and --gateway-port are the same; give two ports.");
        return PortReservation.TryTake(address, silo, gateway) ?? throw new CommandFailure(
            ExitCode.PortInUse,
            FormattableString.Invariant($"{Named(silo, gateway)} on {address} is taken by another program; ")
            + $"stop that one, or name others with {Silo.Name} and {Gateway.Name}.");
    }

    private static string Named(int? silo, int? gateway) => (silo, gateway) switch
    {
        ({ } one, { } other) => FormattableString.Invariant($"Port {one} or {other}"),
        _ => FormattableString.Invariant($"Port {silo ?? gateway}"),
    };
}
