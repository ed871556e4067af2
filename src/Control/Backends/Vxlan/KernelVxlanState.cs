using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>
/// What one VXLAN device and its peers should look like on the host: immutable, so that the monitor's thread can hold every notification
/// against it while the next state is being made.
/// </summary>
internal sealed class KernelVxlanState
{
    /// <summary>The device as it was left: name, index, MTU and Ethernet address count.</summary>
    internal required Link Device { get; init; }

    /// <summary>The pod network.</summary>
    internal required IPNetwork Network { get; init; }

    /// <summary>The only address of the network that may be on the device.</summary>
    internal required IPAddress Address { get; init; }

    /// <summary>Index of the link that carries the underlay.</summary>
    internal required int Underlay { get; init; }

    /// <summary>By the address that is asked for.</summary>
    internal IReadOnlyDictionary<IPAddress, Neighbour> Neighbours { get; init; } = new Dictionary<IPAddress, Neighbour>();

    internal IReadOnlyDictionary<MacAddress, FdbEntry> Fdb { get; init; } = new Dictionary<MacAddress, FdbEntry>();

    internal IReadOnlyDictionary<IPNetwork, Route> Routes { get; init; } = new Dictionary<IPNetwork, Route>();

    /// <summary>Where packets to peers go depends on the host's other routes and addresses too.</summary>
    internal bool DirectRouting { get; init; }

    /// <summary>True if after this change the host is not as it should be, or may not be. Our own changes are none.</summary>
    internal bool IsDamagedBy(NetworkChange change) => change switch
    {
        LinkChanged { Link: var link } => IsDamagedBy(link),
        LinkRemoved { Link: var link } => link.Index == Device.Index || link.Name == Device.Name,
        AddressAdded { Address: var address } => (address.LinkIndex == Device.Index && Network.Contains(address.Address) && !IsOwn(address)) || IsOfUnderlay(address),
        AddressRemoved { Address: var address } => (address.LinkIndex == Device.Index && address.Address.Equals(Address)) || IsOfUnderlay(address),
        RouteAdded { Route: var route } => Find(route) is { } wanted ? route.Metric == wanted.Metric && !FlannelRoute.IsSame(route, wanted) : IsWayToPeers(route),
        RouteRemoved { Route: var route } => Find(route) is { } wanted ? FlannelRoute.IsSame(route, wanted) : IsWayToPeers(route),
        NeighbourChanged { Neighbour: var neighbour } => Find(neighbour) is { } wanted && wanted != neighbour,
        NeighbourRemoved { Neighbour: var neighbour } => Find(neighbour) is not null,
        FdbEntryChanged { Entry: var entry } => Find(entry) is { } wanted && wanted != entry,
        FdbEntryRemoved { Entry: var entry } => Find(entry) is not null,
        _ => false,
    };

    private bool IsDamagedBy(Link link)
    {
        if (link.Index == Device.Index)
            return !link.IsUp || link.Mtu != Device.Mtu || link.Address != Device.Address || link.Name != Device.Name;
        return link.Name == Device.Name || (DirectRouting && link.Index == Underlay);
    }

    private bool IsOwn(InterfaceAddress address) => address.Address.Equals(Address) && address.PrefixLength == 8 * IPAddressFamily.SizeOf(IPAddressFamily.Of(Address));

    private bool IsOfUnderlay(InterfaceAddress address) => DirectRouting && address.LinkIndex == Underlay;

    private bool IsWayToPeers(Route route) =>
        DirectRouting && route.Table == Dataplane.Interop.Libc.RT_TABLE_MAIN && route.LinkIndex != Device.Index && !Network.Contains(route.Destination.BaseAddress);

    private Route? Find(Route route) => route.Table == Dataplane.Interop.Libc.RT_TABLE_MAIN ? Routes.GetValueOrDefault(route.Destination) : null;

    private Neighbour? Find(Neighbour neighbour) => neighbour.LinkIndex == Device.Index ? Neighbours.GetValueOrDefault(neighbour.Address) : null;

    private FdbEntry? Find(FdbEntry entry) => entry.LinkIndex == Device.Index ? Fdb.GetValueOrDefault(entry.Mac) : null;
}
