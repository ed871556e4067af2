using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Daemon.Commands;

/// <summary><c>flannelfast reserve</c>.</summary>
internal static class ReserveCommand
{
    internal static Command Build(CommandContext context, ExamplesHelpAction help)
    {
        StoreFlags store = new(context);
        var subnet = new Argument<string>("SUBNET") { Description = "The pod subnet; in a dual-stack network both, with a comma between them" };
        var publicIp = new Option<string>("--public-ip") { Description = "Underlay address of the host it is for", HelpName = "IP" };
        var publicIpv6 = new Option<string>("--public-ipv6") { Description = "Its IPv6 underlay address, where it has one", HelpName = "IP" };
        var remove = new Option<bool>("--remove") { Description = "Remove the reservation instead", Arity = ArgumentArity.Zero };
        var force = new Option<bool>("--force") { Description = "With --remove: also a lease that is no reservation", Arity = ArgumentArity.Zero };
        var command = new Command("reserve", "Reserve a subnet for a host: a lease that does not end, which its daemon takes when it starts")
        {
            subnet, publicIp, publicIpv6, remove, force,
        };
        store.AddTo(command);
        command.SetAction((result, cancel) => store.RunAsync(result, async registry =>
        {
            LeasedSubnet leased = ReadSubnet(result.GetValue(subnet)!);
            LeaseAttributes host = new()
            {
                PublicIP = ReadAddress("--public-ip", result.GetValue(publicIp), AddressFamily.InterNetwork),
                PublicIPv6 = ReadAddress("--public-ipv6", result.GetValue(publicIpv6), AddressFamily.InterNetworkV6),
            };
            bool hasHost = host.PublicIP is not null || host.PublicIPv6 is not null, isRemoval = result.GetValue(remove);
            if (isRemoval == hasHost) throw new InvalidInputException("expected either --public-ip (or --public-ipv6) or --remove; see \"flannelfast reserve --help\"");
            if (result.GetValue(force) && !isRemoval) throw new InvalidInputException("--force: expected --remove beside it");
            ReservationEditor editor = new(registry);
            context.Out.WriteLine(isRemoval
                ? await editor.RemoveAsync(leased, result.GetValue(force), cancel).ConfigureAwait(false)
                : await editor.ReserveAsync(leased, host, cancel).ConfigureAwait(false));
            return ExitCode.Success;
        }));
        help.Examples[command] =
        [
            "flannelfast reserve 10.5.7.0/24 --public-ip 192.0.2.7",
            "flannelfast reserve 10.5.7.0/24,fc00:0:0:7::/64 --public-ip 192.0.2.7 --public-ipv6 2001:db8::7",
            "flannelfast reserve 10.5.7.0/24 --remove",
        ];
        return command;
    }

    private static LeasedSubnet ReadSubnet(string text)
    {
        IPNetwork? ipv4 = null, ipv6 = null;
        foreach (string part in text.Split(','))
        {
            if (!AddressText.TryParseNetwork(part, out IPNetwork network, out bool hasHostBits) || hasHostBits) throw Unexpected();
            if (network.BaseAddress.AddressFamily == AddressFamily.InterNetwork && ipv4 is null && ipv6 is null) ipv4 = network;
            else if (network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 && ipv6 is null) ipv6 = network;
            else throw Unexpected();
        }
        return new(ipv4, ipv6);

        InvalidInputException Unexpected() =>
            new($"SUBNET: expected a network address and its length, as in 10.5.7.0/24 or 10.5.7.0/24,fc00:0:0:7::/64, not {InvalidInputException.Quote(text)}");
    }

    private static IPAddress? ReadAddress(string flag, string? text, AddressFamily family)
    {
        if (text is null) return null;
        string kind = family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
        return AddressText.TryParse(text, out IPAddress? address) && address.AddressFamily == family
            ? address : throw new InvalidInputException($"{flag}: expected an {kind} address, not {InvalidInputException.Quote(text)}");
    }
}
