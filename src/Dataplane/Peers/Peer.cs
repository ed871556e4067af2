using System.Net;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Peers;

/// <summary>One line of the table "subnet → PublicIP": packets for <paramref name="Subnet"/> go to the host at <paramref name="PublicIP"/>.</summary>
/// <param name="Subnet">The peer's pod subnet, IPv4 or (with VXLAN) IPv6, without host bits. Unique in a table.</param>
/// <param name="PublicIP">The peer's underlay address. Several subnets may name the same one.</param>
/// <param name="VtepMac">The peer's VtepMAC: destination of inner frames. VXLAN only; zero otherwise.</param>
public sealed record Peer(IPNetwork Subnet, IPAddress PublicIP, MacAddress VtepMac = default);
