using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>What the loops need to send to one peer: 32 bytes, half a cache line. Made by <see cref="PeerTable.Build"/> only.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly struct PeerEntry
{
    internal PeerEntry(int endpointIndex, ulong mac, UInt128 address, bool ipv6)
    {
        EndpointIndex = endpointIndex;
        Mac = mac;
        Ipv4 = ipv6 ? 0 : (uint)address;
        Ipv6 = ipv6 ? address : 0;
    }

    /// <summary>The host behind the peer, 0 to <see cref="PeerTable.EndpointCount"/> - 1. Subnets with one PublicIP share it.</summary>
    public int EndpointIndex { get; }

    /// <summary>The host's IPv4 address in host order; 0 when the underlay is IPv6.</summary>
    public uint Ipv4 { get; }

    /// <summary>
    /// The VtepMAC as it stands in memory on the wire: the first byte in bits 7 to 0, bits 63 to 48 zero, so that a little-endian
    /// store of the low 48 bits (or of all 64 where the next two bytes are written afterwards) is the address.
    /// </summary>
    public ulong Mac { get; }

    /// <summary>The host's IPv6 address in host order; 0 when the underlay is IPv4.</summary>
    public UInt128 Ipv6 { get; }
}
