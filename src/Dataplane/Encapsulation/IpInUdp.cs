using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Dataplane.Encapsulation;

/// <summary>flannel's udp backend: the UDP payload is one bare IPv4 packet (pkg/backend/udp/proxy_amd64.c), usual port 8285.</summary>
/// <param name="innerIpv6">Ours alone: it may be an IPv6 packet too.</param>
internal readonly struct IpInUdp(bool innerIpv6) : IEncapsulation
{
    /// <summary>flannel's default port.</summary>
    internal const int DefaultPort = 8285;

    public int Overhead => 0;

    public bool DecrementsTtl => true;

    public bool CarriesIpv6 => innerIpv6;

    public bool HasFixedSourcePort => true;

    public void WriteHeader(Span<byte> headRoom, ulong peerMac, bool ipv6)
    {
    }

    public DropReason CheckHeader(ReadOnlySpan<byte> datagram, out int version)
    {
        version = innerIpv6 && datagram.Length > 0 && datagram[0] >> 4 == 6 ? 6 : 4;
        return DropReason.None;
    }
}
