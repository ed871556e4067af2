using System.Net;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Peers;

/// <summary>
/// One peer and what was exchanged with its host, summed over all workers. Counters belong to the endpoint: peers with one
/// PublicIP (several subnets of one host) all show the same figures, so they must not be added up over peers.
/// </summary>
/// <param name="Subnet">The peer's pod subnet.</param>
/// <param name="PublicIP">The endpoint: the host's underlay address.</param>
/// <param name="VtepMac">The host's VtepMAC; zero without VXLAN.</param>
/// <param name="EgressPackets">Packets sent to the endpoint since it came into the table.</param>
/// <param name="EgressBytes">Inner bytes sent to the endpoint.</param>
/// <param name="IngressPackets">Packets accepted from the endpoint.</param>
/// <param name="IngressBytes">Inner bytes accepted from the endpoint.</param>
/// <param name="SendErrors">Packets for the endpoint that the kernel refused to send.</param>
public sealed record PeerStatus(
    IPNetwork Subnet, IPAddress PublicIP, MacAddress VtepMac,
    long EgressPackets, long EgressBytes, long IngressPackets, long IngressBytes, long SendErrors);
