using System.Net;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// The host's links, addresses, routes, neighbours and forwarding databases over one socket, which belongs to the network namespace of the thread that
/// made this object. Any thread may call. Methods throw <see cref="NetlinkException"/> when the kernel refuses.
/// </summary>
internal sealed class NetlinkClient : IDisposable
{
    private readonly NetlinkSocket _socket;

    /// <summary>Opens a socket in the network namespace of the calling thread.</summary>
    internal NetlinkClient()
        : this(new NetlinkSocket())
    {
    }

    /// <summary>Uses an open socket, owned from here on.</summary>
    internal NetlinkClient(NetlinkSocket socket)
    {
        _socket = socket;
        Links = new(_socket);
        Addresses = new(_socket);
        Routes = new(_socket, Links);
        Neighbours = new(_socket);
        Fdb = new(_socket);
        Vxlan = new(_socket);
    }

    internal LinkClient Links { get; }

    internal AddressClient Addresses { get; }

    internal RouteClient Routes { get; }

    internal NeighbourClient Neighbours { get; }

    /// <summary>Forwarding databases of VXLAN devices.</summary>
    internal FdbClient Fdb { get; }

    internal VxlanClient Vxlan { get; }

    /// <summary>Has many requests carried out with few system calls; see <see cref="NetlinkSocket.Execute(NetlinkBatch)"/>.</summary>
    internal NetlinkException?[] Execute(NetlinkBatch batch) => _socket.Execute(batch);

    /// <summary>
    /// The link that owns an address, or null. An address may be on several links: then the one of lowest index that is
    /// up, or of lowest index if none is.
    /// </summary>
    internal Link? FindLinkByAddress(IPAddress address)
    {
        // The kernel keeps the scope of a link-local address in the link, not in the address.
        IPAddress plain = new(address.GetAddressBytes());
        List<InterfaceAddress> owners = Addresses.List();
        owners.RemoveAll(owner => !owner.Address.Equals(plain));
        // The id of a scope is the index of its link (RFC 4007, section 6).
        if (plain.IsIPv6LinkLocal && address.ScopeId != 0) owners.RemoveAll(owner => owner.LinkIndex != address.ScopeId);
        owners.Sort((one, other) => one.LinkIndex.CompareTo(other.LinkIndex));
        Link? found = null;
        foreach (InterfaceAddress owner in owners)
        {
            // A link gone between the two questions owns nothing any more.
            if (Links.Find(owner.LinkIndex) is not { } link) continue;
            if (link.IsUp) return link;
            found ??= link;
        }
        return found;
    }

    /// <summary>Which link, source address and MTU a packet of this host to <paramref name="destination"/> would use; null if there is no way.</summary>
    internal RouteLookup? FindRoute(IPAddress destination)
    {
        if (Routes.Find(destination) is not { } route) return null;
        Link link = Links.Get(route.LinkIndex);
        return new(link, route.PreferredSource, route.Gateway, route.Mtu != 0 ? Math.Min(route.Mtu, link.Mtu) : link.Mtu);
    }

    public void Dispose() => _socket.Dispose();
}
