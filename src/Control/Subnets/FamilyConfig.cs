using System.Net;

namespace FlannelFast.Control.Subnets;

/// <summary>What the network config says of one address family, with defaults filled in. Valid by construction: see <see cref="NetworkConfig"/>.</summary>
/// <param name="Network">The pod network, without host bits.</param>
/// <param name="SubnetLength">Prefix length of one host's subnet: 2 more than the network's at least; at most 30 (IPv4) or 126 (IPv6).</param>
/// <param name="SubnetMin">Network address of the first subnet that may be leased, on a subnet boundary, inside the network.</param>
/// <param name="SubnetMax">Network address of the last one, likewise. May lie before the first: then no subnet is free.</param>
internal sealed record FamilyConfig(IPNetwork Network, int SubnetLength, IPAddress SubnetMin, IPAddress SubnetMax);
