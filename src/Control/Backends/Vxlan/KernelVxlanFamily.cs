using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>
/// One address family of the kernel's vxlan backend: its device, and the neighbours, forwarding entries and routes of the peers.
/// One thread at a time, except <see cref="State"/>.
/// </summary>
internal sealed class KernelVxlanFamily
{
    private const string BackendType = "vxlan";

    private readonly NetlinkClient _netlink;
    private readonly ILogger _log;
    private readonly VxlanConfig _config;
    private readonly FamilyConfig _network;
    private readonly AddressFamily _family;
    private readonly KernelVxlanDevice _device;
    private readonly RouteReconciler _routes;
    private Link _underlay;
    private IPAddress _address;
    private IPAddress _publicIP;
    private HashSet<MacAddress> _programmed = [];
    private IReadOnlyList<VxlanPeer> _peers = [];
    private volatile KernelVxlanState? _state;

    /// <summary>Touches nothing on the host yet.</summary>
    /// <exception cref="InvalidOperationException">The underlay has no address of the family.</exception>
    internal KernelVxlanFamily(NetlinkClient netlink, ILogger log, VxlanConfig config, FamilyConfig network, ExternalInterface external)
    {
        _netlink = netlink;
        _log = log;
        _config = config;
        _network = network;
        _family = network.Network.BaseAddress.AddressFamily;
        _device = new(netlink, log, IsIpv6 ? config.DeviceV6 : config.Device, network.Network);
        _routes = new(netlink, _family);
        (_underlay, _address, _publicIP) = Choose(external);
    }

    internal bool IsIpv6 => _family == AddressFamily.InterNetworkV6;

    /// <summary>What the lease publishes for this family.</summary>
    internal VxlanLeaseData LeaseData => new((uint)_config.Vni, _device.Mac);

    /// <summary>What should be on the host; null before <see cref="EnsureDevice"/> was called with a subnet. Any thread may read it.</summary>
    internal KernelVxlanState? State => _state;

    /// <summary>The peers as they were last set.</summary>
    internal IEnumerable<(IPNetwork Subnet, string Via)> Routes =>
        _peers.Select(peer => (peer.Subnet, $"{peer.PublicIP} dev {NameOf(_state?.Routes.GetValueOrDefault(peer.Subnet))}"));

    /// <summary>The underlay is another, or has another address or MTU.</summary>
    /// <exception cref="InvalidOperationException">It has no address of the family.</exception>
    internal void Follow(ExternalInterface external)
    {
        IPAddress before = _publicIP;
        (_underlay, _address, _publicIP) = Choose(external);
        if (!before.Equals(_publicIP)) _device.MoveTo(before, _publicIP);
    }

    /// <summary>Makes the device as it is wanted.</summary>
    /// <param name="subnet">This host's; null before there is a lease.</param>
    /// <param name="changes">Gets one phrase for each thing that was changed.</param>
    /// <exception cref="IOException">The host refused.</exception>
    internal void EnsureDevice(IPNetwork? subnet, List<string> changes)
    {
        int mtu = _config.MtuOver(_family, _underlay.Mtu), least = IsIpv6 ? VxlanConfig.LeastMtuOfV6 : VxlanConfig.LeastMtu;
        if (mtu < least)
            throw new IOException($"the MTU of {_underlay.Name} is {_underlay.Mtu}: {mtu} would be left for packets in {(IsIpv6 ? _config.DeviceV6 : _config.Device)}, at least {least} are needed");
        VxlanAttributes wanted = new()
        {
            Vni = (uint)_config.Vni,
            LinkIndex = _underlay.Index,
            Local = _address,
            Port = _config.Port,
            Learning = _config.Learning,
            Gbp = _config.Gbp,
        };
        Link device = _device.Ensure(wanted, _publicIP, mtu, subnet, changes);
        if (subnet is not { } own) return;
        if (device.Index != _state?.Device.Index)
            _log.DeviceReady(device.Name, wanted.Vni, wanted.Port, $"{_address}", _underlay.Name, $"{_device.Mac}", device.Mtu);
        _state = new()
        {
            Device = device,
            Network = _network.Network,
            Address = own.BaseAddress,
            Underlay = _underlay.Index,
            DirectRouting = _config.DirectRouting,
            Neighbours = _state?.Neighbours ?? new Dictionary<IPAddress, Neighbour>(),
            Fdb = _state?.Fdb ?? new Dictionary<MacAddress, FdbEntry>(),
            Routes = _state?.Routes ?? new Dictionary<IPNetwork, Route>(),
        };
    }

    /// <summary>Makes device and peers those of the leases.</summary>
    /// <param name="own">This host's subnet.</param>
    /// <param name="leases">All of the cluster.</param>
    /// <param name="changes">Gets one phrase for each thing that was changed.</param>
    /// <param name="failures">Gets one sentence for each lease that cannot be used, and for each entry that the kernel refused.</param>
    /// <exception cref="IOException">The host refused; nothing is known of the peers.</exception>
    internal void Apply(IPNetwork own, IReadOnlyCollection<Lease> leases, List<string> changes, List<string> failures)
    {
        EnsureDevice(own, changes);
        List<PeerLease> usable = new PeerLeaseSelector(BackendType, _family, _network.Network, own, _address, _publicIP).Select(leases, failures);
        List<VxlanPeer> peers = VxlanPeer.Read(usable, IsIpv6, _device.Mac, failures);
        Dictionary<IPNetwork, Route> routes = ChooseRoutes(peers);
        KernelVxlanState wanted = Want(peers, routes);
        List<VxlanPeer> tunnelled = peers.FindAll(peer => routes[peer.Subnet].IsOnLink);
        // What follows is notified back to us: the monitor must know it as wanted before it happens.
        _state = wanted;

        VtepUpdate vteps = new(_netlink, wanted);
        Dictionary<IPNetwork, string> failed = vteps.Set(tunnelled, changes);
        RouteChanges set = _routes.Apply(
            [.. routes.Values.Where(route => !failed.ContainsKey(route.Destination))], route => IsOurs(route, wanted) && !failed.ContainsKey(route.Destination));
        foreach (Route route in set.Set) changes.Add($"route {route}");
        foreach (Route route in set.Removed) changes.Add($"route {route} removed");
        foreach ((IPNetwork subnet, string refused) in set.Failures) failed.TryAdd(subnet, refused);
        if (failed.Count > 0)
        {
            _state = Want(peers.FindAll(peer => !failed.ContainsKey(peer.Subnet)), routes);
            vteps.RollBack(failed.Keys, failures);
        }
        vteps.RemoveStale(_programmed, changes, failures);
        _programmed = [.. wanted.Fdb.Keys];
        _peers = failed.Count == 0 ? peers : peers.FindAll(peer => !failed.ContainsKey(peer.Subnet));
        foreach ((IPNetwork subnet, string refused) in failed) failures.Add($"lease {subnet}: {refused}");
        failures.AddRange(set.OtherFailures);
    }

    private Dictionary<IPNetwork, Route> ChooseRoutes(List<VxlanPeer> peers)
    {
        int device = _state!.Device.Index;
        Route?[] ways = _config.DirectRouting ? _netlink.Routes.Find(peers.ConvertAll(peer => peer.PublicIP)) : new Route?[peers.Count];
        Dictionary<IPNetwork, Route> routes = new(peers.Count);
        for (int i = 0; i < ways.Length; i++)
        {
            bool isOnSameLink = ways[i] is { Type: RouteType.Unicast, Gateway: null, LinkIndex: var link and not 0 } && link != device;
            routes.Add(peers[i].Subnet, isOnSameLink
                ? FlannelRoute.Direct(peers[i].Subnet, ways[i]!.LinkIndex, peers[i].PublicIP)
                : FlannelRoute.Tunnelled(peers[i].Subnet, device));
        }
        return routes;
    }

    private KernelVxlanState Want(List<VxlanPeer> peers, Dictionary<IPNetwork, Route> routes)
    {
        Dictionary<IPAddress, Neighbour> neighbours = new(peers.Count);
        Dictionary<MacAddress, FdbEntry> fdb = new(peers.Count);
        Dictionary<IPNetwork, Route> chosen = new(peers.Count);
        Link device = _state!.Device;
        foreach (VxlanPeer peer in peers)
        {
            Route route = routes[peer.Subnet];
            chosen.Add(peer.Subnet, route);
            if (!route.IsOnLink) continue;
            neighbours.Add(peer.Subnet.BaseAddress, new(device.Index, peer.Subnet.BaseAddress, peer.Mac));
            fdb[peer.Mac] = new(device.Index, peer.Mac, peer.PublicIP);
        }
        return new()
        {
            Device = device,
            Network = _state.Network,
            Address = _state.Address,
            Underlay = _state.Underlay,
            DirectRouting = _state.DirectRouting,
            Neighbours = neighbours,
            Fdb = fdb,
            Routes = chosen,
        };
    }

    private bool IsOurs(Route route, KernelVxlanState wanted) =>
        FlannelRoute.IsTunnelled(route, wanted.Device.Index, wanted.Network)
        || (_config.DirectRouting && FlannelRoute.IsDirect(route, wanted.Underlay, _network));

    private string NameOf(Route? route) => route is null || route.IsOnLink ? _state!.Device.Name : route.LinkIndex == _underlay.Index ? _underlay.Name : $"#{route.LinkIndex}";

    private (Link Underlay, IPAddress Address, IPAddress PublicIP) Choose(ExternalInterface external)
    {
        string family = IsIpv6 ? "IPv6" : "IPv4";
        IPAddress address = (IsIpv6 ? external.AddressV6 : external.Address) ?? throw new InvalidOperationException(
            $"{external.Link.Name} has no {family} address, which the {family} part of the vxlan network needs");
        int mtu = _config.MtuOver(_family, external.Link.Mtu);
        if (_config.OuterMtu > external.Link.Mtu) _log.MtuTooLarge(_config.OuterMtu, external.Link.Name, mtu);
        return (external.Link, address, (IsIpv6 ? external.PublicIPv6 : external.PublicIP) ?? address);
    }
}
