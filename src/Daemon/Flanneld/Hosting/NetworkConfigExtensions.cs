using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>A network config as the daemon asks it.</summary>
internal static class NetworkConfigExtensions
{
    extension(NetworkConfig network)
    {
        internal AddressFamilies Families =>
            (network.Ipv4 is null ? 0 : AddressFamilies.Ipv4) | (network.Ipv6 is null ? 0 : AddressFamilies.Ipv6);

        /// <summary>"10.5.0.0/16" or "10.5.0.0/16 and fc00::/48".</summary>
        internal string DescribeNetworks() =>
            string.Join(" and ", new[] { network.Ipv4, network.Ipv6 }.Where(family => family is not null).Select(family => $"{family!.Network}"));
    }
}
