using System.Net;

namespace FlannelFast.Control.Subnets;

/// <summary>What one host holds: a subnet of the IPv4 pod network, of the IPv6 one, or of both. One lease, one key.</summary>
/// <param name="Ipv4">Without host bits; null in an IPv6-only cluster.</param>
/// <param name="Ipv6">Without host bits; null without IPv6.</param>
internal sealed record LeasedSubnet(IPNetwork? Ipv4, IPNetwork? Ipv6 = null)
{
    /// <summary>"10.5.52.0/24", or both with a comma.</summary>
    public override string ToString() => string.Join(',', new[] { Ipv4, Ipv6 }.Where(subnet => subnet is not null));
}
