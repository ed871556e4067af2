using System.Net;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Interfaces;

/// <summary>The network namespace of a netlink client, which is not owned.</summary>
internal sealed class KernelNetwork(NetlinkClient netlink) : IHostNetwork
{
    public IReadOnlyList<Link> Links()
    {
        List<Link> links = netlink.Links.List();
        links.Sort((one, other) => one.Index.CompareTo(other.Index));
        return links;
    }

    public IReadOnlyList<InterfaceAddress> Addresses() => netlink.Addresses.List();

    public IReadOnlyList<Route> Routes() => netlink.Routes.List();

    public RouteLookup? FindRoute(IPAddress destination) => netlink.FindRoute(destination);
}
