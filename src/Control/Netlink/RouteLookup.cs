using System.Net;

namespace FlannelFast.Control.Netlink;

/// <summary>The way a packet of this host to one destination would go.</summary>
/// <param name="Link">The link it leaves by.</param>
/// <param name="Source">The source address the kernel would choose.</param>
/// <param name="Gateway">The next hop; null if the destination is on the link itself.</param>
/// <param name="Mtu">Bytes of the largest packet: the route's or path's own limit where there is one, else the link's.</param>
internal sealed record RouteLookup(Link Link, IPAddress? Source, IPAddress? Gateway, int Mtu);
