using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// Keeps one TUN device as its tunnel wants it: up, with MTU, addresses and the routes of the pod networks. <see cref="Ensure"/>
/// is idempotent and changes only what differs, so it serves the first start and every repair alike. One thread at a time.
/// </summary>
/// <param name="netlink">Host access, not owned.</param>
internal sealed class DeviceKeeper(NetlinkClient netlink)
{
    /// <summary>
    /// IP6_RT_PRIO_USER (linux/ipv6_route.h), which the kernel gives an IPv6 route without a metric. Said here because the
    /// route is looked for by its metric afterwards.
    /// </summary>
    private const uint Ipv6UserMetric = 1024;

    /// <summary>The device at the last <see cref="Ensure"/>, or null before the first.</summary>
    internal Link? Link { get; private set; }

    /// <summary>Index of the link that owns the local address; 0 where none does or the MTU is fixed.</summary>
    internal int UnderlayIndex { get; private set; }

    /// <summary>
    /// Makes the device as it is wanted.
    /// </summary>
    /// <param name="config">What is wanted: at every call that of the same device, by its own name.</param>
    /// <returns>What had to be changed, one phrase each; empty when all was right.</returns>
    /// <exception cref="NetlinkException">The kernel refused, or the device is gone (ENODEV).</exception>
    /// <exception cref="InvalidOperationException">The host contradicts the tunnel; the message says how.</exception>
    internal IReadOnlyList<string> Ensure(TunnelConfig config)
    {
        var changes = new List<string>();
        Link link = netlink.Links.Find(config.Device) ?? TakeNameBack(config, changes);
        int mtu = WantedMtu(config);
        if (link.Mtu != mtu)
        {
            netlink.Links.SetMtu(link, mtu);
            changes.Add($"MTU {mtu}");
        }
        EnsureAddresses(config, link, changes);
        if (!link.IsUp)
        {
            // Without IPv6 inside, a link-local address only makes the host send router solicitations that nobody can take.
            if (config.Networks.All(network => network.BaseAddress.AddressFamily == AddressFamily.InterNetwork)) netlink.Links.TrySetNoLinkLocal(link);
            netlink.Links.SetUp(link);
            changes.Add("up");
        }
        EnsureRoutes(config, link, changes);
        Link = netlink.Links.Get(link.Index);
        return changes;
    }

    /// <summary>The device under another name, renamed; its queues and the other settings know it by the configured one only.</summary>
    private Link TakeNameBack(TunnelConfig config, List<string> changes)
    {
        // The kernel hands out indices in a ring (dev_new_index), so the index of a deleted device is not that of a stranger soon.
        if (Link is not { } known || netlink.Links.Find(known.Index) is not { } renamed)
            throw new NetlinkException(Errno.ENODEV, $"find link {config.Device}");
        if (!netlink.Links.TryRename(renamed, config.Device))
        {
            // Before Linux 6.2 a link that is up keeps its name; it comes up again below.
            netlink.Links.SetDown(renamed);
            netlink.Links.Rename(renamed, config.Device);
        }
        changes.Add($"name, which was {renamed.Name}");
        return netlink.Links.Get(config.Device);
    }

    private int WantedMtu(TunnelConfig config)
    {
        if (config.Mtu != 0) return config.Mtu;
        Link underlay = netlink.FindLinkByAddress(config.Engine.Local) ?? throw new InvalidOperationException(
            $"no interface of this host owns {config.Engine.Local}: {config.Advice.LocalMissing}");
        UnderlayIndex = underlay.Index;
        // The largest IP packet a TUN device can carry; loopback has 65536.
        int mtu = Math.Min(underlay.Mtu, 65535) - config.Overhead;
        return mtu >= config.MinMtu ? mtu : throw new InvalidOperationException(
            $"the MTU of {underlay.Name} is {underlay.Mtu}: {mtu} would be left for packets in the tunnel, at least {config.MinMtu} are needed");
    }

    private void EnsureAddresses(TunnelConfig config, Link link, List<string> changes)
    {
        List<InterfaceAddress> present = netlink.Addresses.List(link);
        foreach (IPNetwork wanted in config.DeviceAddresses)
        {
            if (present.Any(found => found.Address.Equals(wanted.BaseAddress) && found.PrefixLength == wanted.PrefixLength)) continue;
            bool ipv6 = wanted.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
            // No other host answers on a point-to-point device: detection would only delay the first packet.
            if (netlink.Addresses.TryAdd(link, wanted.BaseAddress, wanted.PrefixLength, ipv6 ? AddressFlags.NoDad : AddressFlags.None))
                changes.Add($"address {wanted}");
        }
    }

    private void EnsureRoutes(TunnelConfig config, Link link, List<string> changes)
    {
        List<Route> present = netlink.Routes.List();
        foreach (IPNetwork network in config.Networks)
        {
            // As flannel writes it: no gateway, no preferred source, protocol boot, scope universe (pkg/ip/iface.go).
            uint metric = network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 ? Ipv6UserMetric : 0;
            Route wanted = Route.OnLink(network, link) with { Scope = RouteScope.Universe, Metric = metric };
            Route? rival = present.Find(route => route.Destination == network && route.Type == RouteType.Unicast && route.Metric == wanted.Metric);
            if (rival?.LinkIndex == link.Index) continue;
            if (rival is null && netlink.Routes.TryAdd(wanted))
            {
                changes.Add($"route {network}");
                continue;
            }
            // Stock flannel takes EEXIST for success and then sends nothing anywhere.
            string owner = rival is null ? "another route" : $"a route by {netlink.Links.Find(rival.LinkIndex)?.Name ?? $"link {rival.LinkIndex}"}";
            throw new InvalidOperationException($"{owner} to {network} exists already: {config.Advice.RouteTaken}");
        }
    }
}
