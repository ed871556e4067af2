using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Backends.HostGw;

/// <summary>
/// host-gw: no encapsulation, one route to each host of the same link. As with stock the routes stay when this object goes; where stock looks
/// every 10 s whether they are still there, this one is told by the kernel.
/// </summary>
internal sealed class HostGwBackend : IBackend
{
    private const string BackendType = "host-gw";

    private readonly NetlinkClient _netlink;
    private readonly NetworkConfig _network;
    private readonly HostMonitor _monitor;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<AddressFamily, RouteReconciler> _reconcilers;
    private ExternalInterface _external;
    private LeasedSubnet? _own;
    private volatile IReadOnlyDictionary<IPNetwork, Route> _routes = new Dictionary<IPNetwork, Route>();

    private HostGwBackend(BackendContext context, NetlinkClient netlink)
    {
        _netlink = netlink;
        _network = context.Network;
        _external = Check(context.External);
        _reconcilers = Families().ToDictionary(family => family.Network.BaseAddress.AddressFamily, family => new RouteReconciler(netlink, family.Network.BaseAddress.AddressFamily));
        _monitor = new(IsDamage, () => RepairNeeded?.Invoke(), context.Log.CreateLogger(BackendType), neighbours: false);
    }

    /// <inheritdoc />
    public event Action? AnnouncementChanged;

    /// <inheritdoc />
    public event Action? RepairNeeded;

    /// <inheritdoc />
    public BackendAnnouncement Announcement { get; } = new(BackendType);

    /// <inheritdoc />
    public int Mtu => _external.Link.Mtu;

    /// <inheritdoc />
    public Task Completion => _completion.Task;

    /// <inheritdoc />
    public IReadOnlyList<(IPNetwork Subnet, string Via)> Routes => [.. _routes.Values.Select(route => (route.Destination, $"{route.Gateway} dev {_external.Link.Name}"))];

    /// <inheritdoc cref="BackendFactory"/>
    internal static IBackend Prepare(BackendContext context)
    {
        HostRequirements.CheckCapability("setting routes");
        NetlinkClient netlink = new();
        try
        {
            return new HostGwBackend(context, netlink);
        }
        catch
        {
            netlink.Dispose();
            throw;
        }
    }

    /// <inheritdoc />
    public void Start(Lease own) => _own = own.Subnet;

    /// <inheritdoc />
    public ApplyResult Apply(IReadOnlyCollection<Lease> leases)
    {
        List<string> changes = [], failures = [];
        try
        {
            _monitor.Renew();
            Dictionary<IPNetwork, Route> wanted = [];
            foreach (FamilyConfig family in Families()) AddRoutes(family, leases, wanted, failures);
            // What follows is notified back to us: the monitor must know it as wanted before it happens.
            _routes = wanted;
            foreach (FamilyConfig family in Families()) Apply(family, wanted.Values, changes, failures);
        }
        catch (IOException refused)
        {
            failures.Add(refused.Message);
        }
        return new(changes, failures);
    }

    /// <inheritdoc />
    /// <exception cref="InvalidOperationException">The new address is not the one that is published; the old one stays in use.</exception>
    public void Follow(ExternalInterface external)
    {
        int before = Mtu;
        _external = Check(external);
        _monitor.Report();
        if (Mtu != before) AnnouncementChanged?.Invoke();
    }

    /// <summary>Stops listening. The routes stay.</summary>
    public void Dispose()
    {
        _monitor.Dispose();
        _netlink.Dispose();
        _completion.TrySetResult();
    }

    private IEnumerable<FamilyConfig> Families()
    {
        if (_network.Ipv4 is { } ipv4) yield return ipv4;
        if (_network.Ipv6 is { } ipv6) yield return ipv6;
    }

    private void AddRoutes(FamilyConfig family, IReadOnlyCollection<Lease> leases, Dictionary<IPNetwork, Route> wanted, List<string> failures)
    {
        AddressFamily kind = family.Network.BaseAddress.AddressFamily;
        bool ipv6 = kind == AddressFamily.InterNetworkV6;
        IPNetwork own = (ipv6 ? _own?.Ipv6 : _own?.Ipv4) ?? throw new InvalidOperationException($"the lease {_own} has no {(ipv6 ? "IPv6" : "IPv4")} subnet");
        PeerLeaseSelector selector = new(BackendType, kind, family.Network, own, ipv6 ? _external.AddressV6 : _external.Address);
        foreach (PeerLease peer in selector.Select(leases, failures))
            wanted.Add(peer.Subnet, FlannelRoute.Direct(peer.Subnet, _external.Link.Index, peer.PublicIP));
    }

    private void Apply(FamilyConfig family, IEnumerable<Route> wanted, List<string> changes, List<string> failures)
    {
        AddressFamily kind = family.Network.BaseAddress.AddressFamily;
        RouteChanges set = _reconcilers[kind].Apply(
            [.. wanted.Where(route => route.Destination.BaseAddress.AddressFamily == kind)],
            route => FlannelRoute.IsDirect(route, _external.Link.Index, family));
        foreach (Route route in set.Set) changes.Add($"route {route}");
        foreach (Route route in set.Removed) changes.Add($"route {route} removed");
        foreach ((IPNetwork subnet, string refused) in set.Failures) failures.Add($"lease {subnet}: {refused}");
        failures.AddRange(set.OtherFailures);
    }

    private bool IsDamage(NetworkChange change) => change switch
    {
        // The kernel drops IPv4 routes silently with a link's "up" or address (see RouteRemoved).
        LinkChanged { Link: var link } => link.Index == _external.Link.Index,
        AddressAdded { Address: var address } => address.LinkIndex == _external.Link.Index,
        AddressRemoved { Address: var address } => address.LinkIndex == _external.Link.Index,
        RouteAdded { Route: var route } => Wanted(route) is { } wanted && route.Metric == wanted.Metric && !FlannelRoute.IsSame(route, wanted),
        RouteRemoved { Route: var route } => Wanted(route) is { } wanted && FlannelRoute.IsSame(route, wanted),
        _ => false,
    };

    private Route? Wanted(Route route) => route.Table == Libc.RT_TABLE_MAIN ? _routes.GetValueOrDefault(route.Destination) : null;

    private ExternalInterface Check(ExternalInterface external)
    {
        foreach (FamilyConfig family in Families())
        {
            bool ipv6 = family.Network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
            (IPAddress? address, IPAddress? publicIP) = ipv6 ? (external.AddressV6, external.PublicIPv6) : (external.Address, external.PublicIP);
            if (address is null) throw new InvalidOperationException($"{external.Link.Name} has no {(ipv6 ? "IPv6" : "IPv4")} address, which the host-gw backend needs");
            if (publicIP is not null && !publicIP.Equals(address))
                throw new InvalidOperationException("your PublicIP differs from interface IP, meaning that probably you're on a NAT, which is not supported by host-gw backend");
        }
        return external;
    }
}
