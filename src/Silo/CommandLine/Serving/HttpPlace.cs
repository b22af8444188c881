using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using Actors.Silo.Hosting;

namespace Actors.Silo.CommandLine.Serving;

/// <summary>Where a process listens for HTTP.</summary>
/// <param name="Address">One address of this machine; a silo advertises it too.</param>
/// <param name="Port">0 for any that is free.</param>
internal sealed record HttpPlace(IPAddress Address, int Port)
{
    public CommandFailure InUse(Exception? cause) => new(
        ExitCode.PortInUse,
        FormattableString.Invariant($"Port {Port} on {Address} is taken by another program; ")
        + "stop that one, or name another with --port.",
        cause);
}

/// <summary>The options `--port` and `--bind`, of every command that serves.</summary>
internal sealed class HttpPlaceOptions
{
    public const string PortVariable = "ACTORS_PORT";
    public const int ApiPort = 8080;

    private readonly int? usualPort;

    /// <param name="what">What is bound to the address, as the end of "The address of this machine that …".</param>
    /// <param name="usualPort">Taken where nobody names one and it is free; null: any port will do.</param>
    public HttpPlaceOptions(string what, int? usualPort)
    {
        this.usualPort = usualPort;
        var usually = usualPort is null ? "" : FormattableString.Invariant($"else {usualPort}, ");
        Port = PortNumber.Option("--port", $"The HTTP port. Default: {PortVariable}, {usually}else any that is free.");
        Bind = new Option<IPAddress>("--bind")
        {
            Description = $"The address of this machine that {what}.",
            HelpName = "ADDRESS",
            DefaultValueFactory = _ => IPAddress.Loopback,
            CustomParser = AddressIn,
        };
    }

    public Option<int?> Port { get; }

    public Option<IPAddress> Bind { get; }

    /// <summary>A port that somebody asked for must be free; nobody's choice gives way to any free one.</summary>
    /// <exception cref="CommandFailure">It is taken, or the variable holds no port.</exception>
    public HttpPlace Find(ParseResult arguments)
    {
        var address = arguments.GetRequiredValue(Bind);
        if ((arguments.GetValue(Port) ?? PortNumber.FromEnvironment(PortVariable)) is not { } port)
            return new HttpPlace(address, usualPort is { } usual && SiloPorts.IsFree(address, usual) ? usual : 0);
        var place = new HttpPlace(address, port);
        return SiloPorts.IsFree(address, port) ? place : throw place.InUse(null);
    }

    /// <summary>What is advertised must be one address; "all of them" is none that another silo could call.</summary>
    private static IPAddress? AddressIn(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (IPAddress.TryParse(text, out var address) && !address.Equals(IPAddress.Any)
            && !address.Equals(IPAddress.IPv6Any) && SiloPorts.IsFree(address, 0))
            return address;
        result.AddError($"--bind is '{text}'; expected is one IP address of this machine.");
        return null;
    }
}
