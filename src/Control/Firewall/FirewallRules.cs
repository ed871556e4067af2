using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Files;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Firewall;

/// <summary>Makes the rule sets of a host: one for each family, also for one that the cluster does not have (any more).</summary>
internal static class FirewallRules
{
    internal static RuleSet[] Of(NetworkConfig config, LeasedSubnet own, PreviousSubnets previous, FirewallOptions options) =>
    [
        Of(AddressFamily.InterNetwork, config.Ipv4, own.Ipv4, previous.Networks, previous.Subnet, options),
        Of(AddressFamily.InterNetworkV6, config.Ipv6, own.Ipv6, previous.Ipv6Networks, previous.Ipv6Subnet, options),
    ];

    private static RuleSet Of(
        AddressFamily family, FamilyConfig? config, IPNetwork? subnet, IReadOnlyList<IPNetwork> formerNetworks, IPNetwork? formerSubnet, FirewallOptions options)
    {
        var former = new List<IPNetwork>();
        // A former subnet lies in a former network, unless the file has only the one line.
        foreach (IPNetwork network in formerSubnet is { } lone ? [.. formerNetworks, lone] : formerNetworks)
        {
            // A default route in the file would make every rule of the host ours.
            if (network.PrefixLength > 0 && !network.Equals(config?.Network) && !former.Contains(network)) former.Add(network);
        }
        return new()
        {
            Family = family,
            Network = config is null || subnet is null ? null : config.Network,
            Subnet = subnet,
            WantsMasquerade = options.Masquerade,
            WantsForward = options.Forward,
            IsFullyRandom = options.FullyRandom,
            FormerNetworks = former,
        };
    }
}
