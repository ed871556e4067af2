using System.Net.Sockets;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Daemon.Rendering;

/// <summary>A tunnel in one line, for the log and for --check.</summary>
internal static class TunnelSummary
{
    /// <summary>"device ff0 mtu 1472, udp on 192.0.2.1:8285, subnet 10.5.1.0/24 of 10.5.0.0/16, 2 peers".</summary>
    /// <param name="config">The tunnel.</param>
    /// <param name="device">The device if there is one already: its MTU is known then.</param>
    internal static string Of(TunnelConfig config, DeviceStatus? device = null)
    {
        EngineOptions engine = config.Engine;
        string mtu = device is not null ? $"{device.Mtu}" : config.Mtu > 0 ? $"{config.Mtu}" : $"of the underlay less {config.Overhead}";
        string local = engine.Local.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{engine.Local}]" : $"{engine.Local}";
        string encapsulation = engine.Encapsulation == EncapsulationKind.Udp
            ? $"udp on {local}:{engine.Port}"
            : $"vxlan {engine.Vni} on {local}:{engine.Port} with VtepMAC {engine.Mac}";
        string subnets = string.Join(" and ", config.Subnets.Zip(config.Networks, (s, n) => $"{s} of {n}"));
        return $"device {config.Device} mtu {mtu}, {encapsulation}, subnet {subnets}, {config.Peers.Count} peer{(config.Peers.Count == 1 ? "" : "s")}";
    }
}
