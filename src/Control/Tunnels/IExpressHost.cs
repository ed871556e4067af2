using System.Net;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Tunnels;

/// <summary>What of the host is looked at to open the express lane. Methods throw <see cref="IOException"/> when the kernel refuses; one thread at a time.</summary>
internal interface IExpressHost
{
    /// <summary>The link of that name, or null.</summary>
    Link? FindLink(string name);

    /// <summary>The link that owns an address, or null.</summary>
    Link? FindLinkByAddress(IPAddress address);

    /// <summary>IPsec may encrypt or refuse packets of this host.</summary>
    bool HasIpsecPolicies();

    /// <summary>The link hands on super-packets of UDP tunnels whole.</summary>
    bool PassesTunnelSuperPackets(Link link);

    /// <summary>Packets that arrive on the link pass GRO.</summary>
    bool MergesArriving(Link link);

    /// <summary>Datagrams lost at a port lent to the kernel's VXLAN driver, because they came past the program that hands them to the engine.</summary>
    long CountStrays();

    /// <summary>By which link packets to each of the addresses leave; 0 where there is no way, or they stay on this host.</summary>
    int[] FindLinks(IReadOnlyList<IPAddress> destinations);
}
