using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Dataplane.Encapsulation;

/// <summary>
/// A wire format. Implementations are structs and the loops take them as type parameters, so every call is resolved and
/// inlined by the compiler; nothing here is called through the interface.
/// </summary>
internal interface IEncapsulation
{
    /// <summary>Bytes between the UDP header and the inner IP packet: the head-room a packet needs.</summary>
    int Overhead { get; }

    /// <summary>The tunnel counts as a hop at each end, as flannel's udp proxy does; the VXLAN device leaves the TTL to routing.</summary>
    bool DecrementsTtl { get; }

    /// <summary>IPv6 packets may travel inside.</summary>
    bool CarriesIpv6 { get; }

    /// <summary>The sender's UDP port is the tunnel's own port; false where it is entropy for load balancing.</summary>
    bool HasFixedSourcePort { get; }

    /// <summary>Fills the <see cref="Overhead"/> bytes in front of a packet.</summary>
    /// <param name="headRoom">At least <see cref="Overhead"/> bytes; the first ones are written.</param>
    /// <param name="peerMac">The receiving VtepMAC, as <see cref="Peers.PeerEntry.Mac"/>; ignored where there is no Ethernet.</param>
    /// <param name="ipv6">The packet behind the head-room is IPv6.</param>
    void WriteHeader(Span<byte> headRoom, ulong peerMac, bool ipv6);

    /// <summary>Checks the header of a received datagram of any content and length.</summary>
    /// <param name="datagram">UDP payload.</param>
    /// <param name="version">The IP version the header promises: 4, 6, or 0 where it does not say.</param>
    /// <returns><see cref="DropReason.None"/> when the packet starts at <see cref="Overhead"/>.</returns>
    DropReason CheckHeader(ReadOnlySpan<byte> datagram, out int version);
}
