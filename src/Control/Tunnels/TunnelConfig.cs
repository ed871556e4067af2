using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tunnels;

/// <summary>A validated tunnel: every value is in range and the values fit each other. Made by <see cref="TunnelValidator"/>.</summary>
internal sealed record TunnelConfig
{
    /// <summary>Name of the TUN device, 1 to 15 characters. "flannel%d" stands for the first free number until the device is made.</summary>
    internal required string Device { get; init; }

    /// <summary>The pod networks that are routed into the device: one per family at most, at least one.</summary>
    internal required IReadOnlyList<IPNetwork> Networks { get; init; }

    /// <summary>This host's part of each network, in the order of <see cref="Networks"/>.</summary>
    internal required IReadOnlyList<IPNetwork> Subnets { get; init; }

    /// <summary>MTU of the device in bytes; 0 means that of the interface that owns the local address, less <see cref="Overhead"/>.</summary>
    internal required int Mtu { get; init; }

    /// <summary>What the engine is made with.</summary>
    internal required EngineOptions Engine { get; init; }

    /// <summary>The peers at the start.</summary>
    internal required IReadOnlyList<Peer> Peers { get; init; }

    /// <summary>How errors end.</summary>
    internal TunnelAdvice Advice { get; init; } = TunnelAdvice.ForTunnelCommand;

    /// <summary>Bytes that the encapsulation puts around an inner packet: 28 or 48 (udp), 50 or 70 (vxlan), by the underlay's family.</summary>
    internal int Overhead
    {
        get
        {
            const int udpHeader = 8, vxlanAndEthernet = 8 + 14;
            int ipHeader = Engine.Local.AddressFamily == AddressFamily.InterNetwork ? 20 : 40;
            return ipHeader + udpHeader + (Engine.Encapsulation == EncapsulationKind.Vxlan ? vxlanAndEthernet : 0);
        }
    }

    /// <summary>Smallest MTU the device may have.</summary>
    internal int MinMtu => Networks.Any(n => n.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6)
        ? TunnelDefaults.MinMtuOfV6 : TunnelDefaults.MinMtu;

    /// <summary>The device's own addresses: the first of each subnet with a full-length prefix, as flannel assigns them.</summary>
    internal IEnumerable<IPNetwork> DeviceAddresses =>
        Subnets.Select(s => new IPNetwork(s.BaseAddress, s.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128));

    /// <summary>True if the other configuration describes the same device and engine; peers are not compared.</summary>
    internal bool IsSameTunnel(TunnelConfig other) =>
        Device == other.Device && Mtu == other.Mtu && Engine == other.Engine &&
        Networks.SequenceEqual(other.Networks) && Subnets.SequenceEqual(other.Subnets);
}
