using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Peers;

/// <summary>What a peer must be to enter a table. Each rule answers with the reason for a refusal, or null.</summary>
internal static class PeerRules
{
    /// <summary>"10.5.2.0/24=192.0.2.2,0e:2a:00:00:00:01": how a peer is written on the command line and named in errors.</summary>
    internal static string Name(Peer peer) =>
        peer.VtepMac.IsZero ? $"{peer.Subnet}={peer.PublicIP}" : $"{peer.Subnet}={peer.PublicIP},{peer.VtepMac}";

    /// <summary>The peer with IPv4-mapped addresses written as the IPv4 addresses they mean.</summary>
    internal static Peer Normalise(Peer peer)
    {
        Prefix subnet = Prefix.From(peer.Subnet);
        bool mappedSubnet = !subnet.IsIpv6 && peer.Subnet.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
        if (!mappedSubnet && !peer.PublicIP.IsIPv4MappedToIPv6) return peer;
        return peer with
        {
            Subnet = mappedSubnet ? subnet.ToNetwork() : peer.Subnet,
            PublicIP = peer.PublicIP.IsIPv4MappedToIPv6 ? peer.PublicIP.MapToIPv4() : peer.PublicIP,
        };
    }

    /// <summary>Our own subnets, at most one of each family.</summary>
    internal static Prefix[] ReadLocal(IReadOnlyList<IPNetwork> localSubnets)
    {
        var local = new Prefix[localSubnets.Count];
        for (int i = 0; i < local.Length; i++)
        {
            local[i] = Prefix.From(localSubnets[i]);
            if (local[i].Length == 0)
                throw new ArgumentException($"local subnet {localSubnets[i]}: a prefix length of 1 or more expected");
            for (int j = 0; j < i; j++)
            {
                if (local[i].IsIpv6 == local[j].IsIpv6)
                {
                    throw new ArgumentException(
                        $"local subnet {localSubnets[i]}: at most one local subnet of each family expected, and {localSubnets[j]} is one already");
                }
            }
        }
        return local;
    }

    /// <summary>The rules a peer meets or breaks by itself.</summary>
    internal static string? Refuse(Peer peer, Prefix subnet, ReadOnlySpan<Prefix> local)
    {
        if (subnet.Length == 0) return "a subnet with a prefix length of 1 or more expected";
        foreach (Prefix own in local)
        {
            if (own.Overlaps(subnet)) return $"a subnet outside our own {own.ToNetwork()} expected";
        }
        return RefuseEndpoint(peer.PublicIP) ?? RefuseMac(peer.VtepMac);
    }

    private static string? RefuseEndpoint(IPAddress address)
    {
        bool multicast = address.AddressFamily == AddressFamily.InterNetworkV6
            ? address.IsIPv6Multicast
            : (Prefix.ToNumber(address) & 0xF0000000) == 0xE0000000;
        if (multicast) return "a unicast PublicIP expected, not a multicast address";
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)) return "a host address as PublicIP expected, not the unspecified one";
        if (address.Equals(IPAddress.Broadcast)) return "a unicast PublicIP expected, not the broadcast address";
        // Link-local addresses mean a host only together with an interface (sin6_scope_id), which a lease cannot carry.
        return address.IsIPv6LinkLocal ? "a PublicIP valid beyond one link expected, not a link-local one" : null;
    }

    private static string? RefuseMac(MacAddress mac) => mac.IsMulticast ? "a unicast VtepMAC expected" : null;
}
