using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Express;

/// <summary>What the programs of a lane are written for. Addresses are in host order; MACs lie in memory as on the wire, see <see cref="PeerEntry.Mac"/>.</summary>
internal sealed record LaneFacts
{
    internal required ExpressRoad Road { get; init; }

    /// <summary>VXLAN, or else flannel's udp format.</summary>
    internal required bool IsVxlan { get; init; }

    internal required uint LocalAddress { get; init; }

    internal required int Port { get; init; }

    /// <summary>udp only: the outer source port must be <see cref="Port"/>.</summary>
    internal required bool CheckSourcePort { get; init; }

    /// <summary>VXLAN only: flows leave from ports of their own, not all from <see cref="Port"/>.</summary>
    internal required bool SpreadsSourcePorts { get; init; }

    internal required int Vni { get; init; }

    internal required ulong Mac { get; init; }

    /// <summary>Our own pod subnet, IPv4.</summary>
    internal required Prefix Subnet { get; init; }

    /// <summary>Not owned; the programs hold the kernel's maps by themselves.</summary>
    internal required LaneMaps Maps { get; init; }

    /// <summary>What <see cref="XdpProgram"/> puts in front of what it took out; chosen anew for each opening of the lane.</summary>
    internal uint Mark { get; init; }

    /// <summary>Outer IPv4, UDP, and of VXLAN its header and the inner Ethernet header.</summary>
    internal int Overhead => IsVxlan ? 50 : 28;

    /// <summary>flannel's proxy takes a hop at each end, VXLAN none; what has no hop left is the engine's to answer.</summary>
    internal int LeastTtl => IsVxlan ? 1 : 2;
}
