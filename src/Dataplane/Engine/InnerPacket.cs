using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// The checks every inner packet must pass in both directions, whatever its addresses are allowed to be. They read nothing
/// beyond <c>available</c> bytes and only the fixed headers (and IPv4 options): no walking of extension chains.
/// </summary>
internal static unsafe class InnerPacket
{
    private const int OptionEnd = 0;
    private const int OptionNoOperation = 1;
    private const int OptionLooseSourceRoute = 131;
    private const int OptionStrictSourceRoute = 137;

    /// <summary>Checks an IPv4 packet (RFC 791, RFC 1122 section 3.2.1).</summary>
    /// <param name="packet">First byte of the IP header.</param>
    /// <param name="available">Bytes received, zero or more.</param>
    /// <param name="length">The packet's own length: what lies behind it is padding.</param>
    internal static DropReason CheckIpv4(byte* packet, int available, out int length)
    {
        length = 0;
        if (available < Ipv4.MinHeaderLength) return DropReason.Short;
        int headerLength = Ipv4.HeaderLength(packet);
        if (Ipv4.Version(packet) != 4) return DropReason.BadVersion;
        if (headerLength < Ipv4.MinHeaderLength || headerLength > available) return DropReason.BadHeaderLength;
        int total = Ipv4.TotalLength(packet);
        if (total < headerLength || total > available) return DropReason.BadLength;
        length = total;
        if (!Ipv4.HasValidChecksum(packet)) return DropReason.BadChecksum;
        if (headerLength > Ipv4.MinHeaderLength && CheckOptions(packet, headerLength) is not DropReason.None and var options) return options;
        int fragment = Ipv4.FragmentWord(packet) & Ipv4.FragmentPositionMask;
        // The ping of death: reassembled, the datagram would exceed the largest IPv4 packet.
        if (fragment != 0 && fragment * 8 + (total - headerLength) > 65535 - headerLength) return DropReason.FragmentOverflow;
        if (Ipv4.Ttl(packet) == 0) return DropReason.Ttl;
        if (IsNeverSource(Ipv4.Source(packet))) return DropReason.BadSource;
        return IsNeverDestination(Ipv4.Destination(packet)) ? DropReason.BadDestination : DropReason.None;
    }

    /// <summary>Checks an IPv6 packet (RFC 8200 section 3). Jumbograms (length 0 with a hop-by-hop header) are refused.</summary>
    /// <inheritdoc cref="CheckIpv4"/>
    internal static DropReason CheckIpv6(byte* packet, int available, out int length)
    {
        length = 0;
        if (available < Ipv6.HeaderLength) return DropReason.Short;
        if (Ipv4.Version(packet) != 6) return DropReason.BadVersion;
        int total = Ipv6.HeaderLength + Ipv6.PayloadLength(packet);
        if (total > available || (total == Ipv6.HeaderLength && Ipv6.NextHeader(packet) == IpProtocol.HopByHop)) return DropReason.BadLength;
        length = total;
        if (Ipv6.HopLimit(packet) == 0) return DropReason.Ttl;
        if (IsNeverSource(Ipv6Source(packet))) return DropReason.BadSource;
        return IsNeverDestination(Ipv6Destination(packet)) ? DropReason.BadDestination : DropReason.None;
    }

    /// <summary>Source address as a number.</summary>
    internal static UInt128 Ipv6Source(byte* packet) => BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<UInt128>(packet + 8));

    /// <summary>Destination address as a number.</summary>
    internal static UInt128 Ipv6Destination(byte* packet) => BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<UInt128>(packet + 24));

    /// <summary>0/8, loopback, multicast, 240/4 with broadcast (RFC 6890).</summary>
    internal static bool IsNeverSource(uint address)
    {
        uint top = address >> 24;
        return top is 0 or 127 or >= 224;
    }

    /// <summary>As for sources, and link-local: no packet for those may leave or enter a host through the tunnel.</summary>
    internal static bool IsNeverDestination(uint address) => IsNeverSource(address) || address >> 16 == 0xA9FE;

    /// <summary>Unspecified, loopback, IPv4-mapped and multicast (RFC 4291 section 2).</summary>
    internal static bool IsNeverSource(UInt128 address)
    {
        ulong high = (ulong)(address >> 64), low = (ulong)address;
        return high >> 56 == 0xFF || (high == 0 && (low <= 1 || low >> 32 == 0xFFFF));
    }

    /// <summary>As for sources, and link-local fe80::/10: neighbour discovery and router advertisements stay out of the tunnel.</summary>
    internal static bool IsNeverDestination(UInt128 address) => IsNeverSource(address) || (ulong)(address >> 118) == 0xFE80 >> 6;

    private static DropReason CheckOptions(byte* packet, int headerLength)
    {
        for (int i = Ipv4.MinHeaderLength; i < headerLength;)
        {
            int type = packet[i];
            if (type == OptionEnd) break;
            if (type == OptionNoOperation)
            {
                i++;
                continue;
            }
            if (type is OptionLooseSourceRoute or OptionStrictSourceRoute) return DropReason.SourceRoute;
            if (i + 1 >= headerLength || packet[i + 1] < 2 || i + packet[i + 1] > headerLength) return DropReason.BadOptions;
            i += packet[i + 1];
        }
        return DropReason.None;
    }
}
