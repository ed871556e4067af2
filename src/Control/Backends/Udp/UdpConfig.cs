using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Backends.Udp;

/// <summary>The udp part of the network config (flannel, pkg/backend/udp/udp_amd64.go).</summary>
/// <param name="Port">Bound here and the destination at every peer; a host's port is not published.</param>
internal sealed record UdpConfig(int Port)
{
    /// <summary>Reads the config's Backend object.</summary>
    /// <exception cref="NetworkConfigException">A field is of the wrong type or out of range, or there is no IPv4 network.</exception>
    internal static UdpConfig Read(NetworkConfig network)
    {
        if (network.Ipv4 is null) throw new NetworkConfigException("the udp backend needs an IPv4 network: set EnableIPv4, or choose vxlan");
        return new(new BackendFields(network.Backend).Number("Port", TunnelDefaults.UdpPort, 1, ushort.MaxValue));
    }
}
