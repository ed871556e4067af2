using System.Net;
using FlannelFast.Control.Netlink;

namespace FlannelFast.Control.Backends;

/// <summary>The interface that carries the underlay, and the addresses that go with it. Immutable: a change makes a new one.</summary>
/// <param name="Link">The interface.</param>
/// <param name="Address">Its own IPv4 address, which sockets and devices are bound to; null in an IPv6-only cluster.</param>
/// <param name="AddressV6">Its own IPv6 address; null without IPv6.</param>
/// <param name="PublicIP">The IPv4 address that is published: <paramref name="Address"/> unless -public-ip says otherwise.</param>
/// <param name="PublicIPv6">Likewise for IPv6.</param>
internal sealed record ExternalInterface(Link Link, IPAddress? Address, IPAddress? AddressV6, IPAddress? PublicIP, IPAddress? PublicIPv6);
