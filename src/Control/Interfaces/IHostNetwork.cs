using System.Net;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Interfaces;

/// <summary>What of the host's network is looked at to choose an interface. Methods throw <see cref="NetlinkException"/>.</summary>
internal interface IHostNetwork
{
    /// <summary>All links in the order of their indices.</summary>
    IReadOnlyList<Link> Links();

    /// <summary>All addresses of both families, in the kernel's order.</summary>
    IReadOnlyList<InterfaceAddress> Addresses();

    /// <summary>The main table, both families, in the kernel's order: of two routes to one destination the preferred one first.</summary>
    IReadOnlyList<Route> Routes();

    /// <summary>The way to a destination; null if there is none.</summary>
    RouteLookup? FindRoute(IPAddress destination);
}
