using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends;

/// <summary>
/// The two kinds of routes that flannel writes to a peer's subnet, and how they are told from everybody else's: what stock wrote before a
/// switch-over is ours as much as what we wrote (pkg/backend/vxlan/vxlan_network.go, pkg/backend/route_network.go).
/// </summary>
internal static class FlannelRoute
{
    /// <summary>IP6_RT_PRIO_USER (linux/ipv6_route.h), which the kernel gives an IPv6 route without a metric.</summary>
    private const uint Ipv6UserMetric = 1024;

    /// <summary>Into a VXLAN device: the next hop is the subnet's first address, which the peer's device has, and no route leads to it.</summary>
    internal static Route Tunnelled(IPNetwork subnet, int device) => Direct(subnet, device, subnet.BaseAddress) with { IsOnLink = true };

    /// <summary>To a host on the same link, without encapsulation: host-gw and DirectRouting.</summary>
    internal static Route Direct(IPNetwork subnet, int link, IPAddress publicIP) => new()
    {
        Destination = subnet,
        LinkIndex = link,
        Gateway = publicIP,
        Metric = DefaultMetric(subnet),
    };

    /// <summary>True for a route of the first kind in our network.</summary>
    internal static bool IsTunnelled(Route route, int device, IPNetwork network) =>
        IsFlannels(route, network) && route.LinkIndex == device && route.IsOnLink && route.Destination.BaseAddress.Equals(route.Gateway);

    /// <summary>
    /// True for a route of the second kind. A hand-made one could look the same; inside the range that is leased, and of a lease's size, it is
    /// for the leases to say where packets go.
    /// </summary>
    internal static bool IsDirect(Route route, int link, FamilyConfig family) =>
        IsFlannels(route, family.Network) && route.LinkIndex == link && !route.IsOnLink && route.Gateway is not null
            && route.Destination.PrefixLength == family.SubnetLength
            && IsBetween(route.Destination.BaseAddress, family.SubnetMin, family.SubnetMax);

    /// <summary>True if the found route sends packets where the wanted one would. A source address or MTU that somebody set on it may stay.</summary>
    internal static bool IsSame(Route found, Route wanted) =>
        found.LinkIndex == wanted.LinkIndex && Equals(found.Gateway, wanted.Gateway) && found.IsOnLink == wanted.IsOnLink
            && found.Type == wanted.Type && found.Metric == wanted.Metric && found.Destination == wanted.Destination && found.Table == wanted.Table;

    private static bool IsFlannels(Route route, IPNetwork network) =>
        route is { Protocol: RouteProtocol.Boot, Type: RouteType.Unicast, Gateway: not null, Table: Dataplane.Interop.Libc.RT_TABLE_MAIN }
            && route.Metric == DefaultMetric(route.Destination) && route.Destination.BaseAddress.AddressFamily == network.BaseAddress.AddressFamily
            && route.Destination.PrefixLength >= network.PrefixLength && network.Contains(route.Destination.BaseAddress);

    private static uint DefaultMetric(IPNetwork subnet) => subnet.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? Ipv6UserMetric : 0;

    private static bool IsBetween(IPAddress address, IPAddress first, IPAddress last)
    {
        ReadOnlySpan<byte> bytes = address.GetAddressBytes();
        return bytes.SequenceCompareTo(first.GetAddressBytes()) >= 0 && bytes.SequenceCompareTo(last.GetAddressBytes()) <= 0;
    }
}
