using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>
/// DirectRouting beside the packet engine: routes to the subnets of hosts on the same link, which go before the network's route into the tunnel. All
/// peers stay in the tunnel too, so that packets find their way through it the moment a route goes away. One thread at a time, except <see cref="Current"/> and <see cref="IsDamagedBy"/>.
/// </summary>
/// <param name="netlink">Host access, not owned.</param>
/// <param name="network">The pod network of the family.</param>
internal sealed class DirectRoutes(NetlinkClient netlink, FamilyConfig network)
{
    private readonly RouteReconciler _reconciler = new(netlink, network.Network.BaseAddress.AddressFamily);
    private volatile Dictionary<IPNetwork, Route> _wanted = [];

    /// <summary>By destination. Never changed.</summary>
    internal IReadOnlyDictionary<IPNetwork, Route> Current => _wanted;

    /// <summary>Sets the routes of the peers that are on the same link now, and removes those of others.</summary>
    /// <param name="peers">All peers.</param>
    /// <param name="underlay">The link whose routes are ours.</param>
    /// <param name="device">The tunnel's: a way through it is none.</param>
    /// <param name="changes">Gets one phrase for each thing that was changed.</param>
    /// <param name="failures">Gets one sentence for each route that the kernel refused.</param>
    /// <exception cref="NetlinkException">The routes cannot be read.</exception>
    internal void Apply(List<VxlanPeer> peers, Link underlay, Link? device, List<string> changes, List<string> failures)
    {
        Route?[] ways = netlink.Routes.Find(peers.ConvertAll(peer => peer.PublicIP));
        var wanted = new Dictionary<IPNetwork, Route>(peers.Count);
        for (int i = 0; i < ways.Length; i++)
        {
            if (ways[i] is { Type: RouteType.Unicast, Gateway: null, LinkIndex: var link and not 0 } && link != device?.Index)
                wanted.Add(peers[i].Subnet, FlannelRoute.Direct(peers[i].Subnet, link, peers[i].PublicIP));
        }
        // What follows is notified back to us: it must be known as wanted before it happens.
        _wanted = wanted;
        RouteChanges set = _reconciler.Apply(wanted.Values, route => FlannelRoute.IsDirect(route, underlay.Index, network));
        foreach (Route route in set.Set) changes.Add($"route {route}");
        foreach (Route route in set.Removed) changes.Add($"route {route} removed");
        foreach ((IPNetwork subnet, string refused) in set.Failures) failures.Add($"lease {subnet}: {refused}");
        failures.AddRange(set.OtherFailures);
    }

    /// <summary>True if after this change a route may be missing, or a peer may be on the same link no more, or only now.</summary>
    /// <param name="change">What the kernel told.</param>
    /// <param name="underlay">Index of the link that carries the underlay.</param>
    internal bool IsDamagedBy(NetworkChange change, int underlay) => change switch
    {
        // The kernel drops IPv4 routes silently with a link's "up" or address (see RouteRemoved).
        LinkChanged { Link: var link } => link.Index == underlay,
        AddressAdded { Address: var address } => address.LinkIndex == underlay,
        AddressRemoved { Address: var address } => address.LinkIndex == underlay,
        RouteAdded { Route: var route } => Find(route) is { } wanted ? route.Metric == wanted.Metric && !FlannelRoute.IsSame(route, wanted) : IsWayToPeers(route),
        RouteRemoved { Route: var route } => Find(route) is { } wanted ? FlannelRoute.IsSame(route, wanted) : IsWayToPeers(route),
        _ => false,
    };

    private Route? Find(Route route) => route.Table == Libc.RT_TABLE_MAIN ? _wanted.GetValueOrDefault(route.Destination) : null;

    private bool IsWayToPeers(Route route) => route.Table == Libc.RT_TABLE_MAIN && !network.Network.Contains(route.Destination.BaseAddress);
}
