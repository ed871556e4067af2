using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tunnels;

/// <summary>A reading of a running tunnel.</summary>
/// <param name="Device">The TUN device.</param>
/// <param name="Engine">The packet engine.</param>
/// <param name="Peers">Every peer with its counters.</param>
/// <param name="ExpressLane">Whether the express lane is open; its counters are the engine's.</param>
internal sealed record TunnelStatus(DeviceStatus Device, EngineStatus Engine, IReadOnlyList<PeerTraffic> Peers, ExpressLaneState ExpressLane);

/// <summary>The TUN device as the kernel reports it.</summary>
/// <param name="Name">Interface name.</param>
/// <param name="Index">Interface index.</param>
/// <param name="Mtu">MTU in bytes.</param>
/// <param name="Addresses">Addresses with prefix length, "10.5.1.0/32".</param>
internal sealed record DeviceStatus(string Name, int Index, int Mtu, IReadOnlyList<string> Addresses);

/// <summary>One peer with what was exchanged with it, inner packets and bytes.</summary>
internal sealed record PeerTraffic(
    Peer Peer, long EgressPackets, long EgressBytes, long IngressPackets, long IngressBytes, long SendErrors);
