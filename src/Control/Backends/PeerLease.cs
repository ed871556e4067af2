using System.Net;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends;

/// <summary>One address family of another host's lease, found fit to be used.</summary>
/// <param name="Lease">Where it is from.</param>
/// <param name="Subnet">The host's subnet: inside the network, in nobody else's, not ours.</param>
/// <param name="PublicIP">Its underlay address: unicast, not ours.</param>
internal readonly record struct PeerLease(Lease Lease, IPNetwork Subnet, IPAddress PublicIP);
