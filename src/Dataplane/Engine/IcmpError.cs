using System.Buffers.Binary;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Engine;

/// <summary>Which ICMP error is due.</summary>
internal enum IcmpErrorKind
{
    /// <summary>No peer owns the destination: type 3 code 0, ICMPv6 type 1 code 0.</summary>
    NetUnreachable,

    /// <summary>The time to live is used up: type 11 code 0, ICMPv6 type 3 code 0.</summary>
    TimeExceeded,
}

/// <summary>
/// Builds ICMP errors about packets that passed <see cref="InnerPacket"/>. Quotes only bytes of the offending packet, and at
/// most so many that the error stays within 576 bytes (RFC 1812 section 4.3.2.3) or 1280 (RFC 4443 section 2.4).
/// </summary>
internal static unsafe class IcmpError
{
    /// <summary>Bytes of the largest error.</summary>
    internal const int MaxSize = 1280;

    private const int MaxSizeIpv4 = 576;
    private const int IcmpHeaderSize = 8;
    private const byte InitialTtl = 64;

    /// <summary>
    /// True when an error about the packet may be sent: not about ICMP errors, fragments but the first, or packets to or from
    /// group addresses (RFC 1122 section 3.2.2; the groups were already refused by <see cref="InnerPacket"/>).
    /// </summary>
    internal static bool IsDue(byte* packet, int length)
    {
        if (Ipv4.Version(packet) == 6)
            return Ipv6.NextHeader(packet) != IpProtocol.IcmpV6 || (length > Ipv6.HeaderLength && (packet[Ipv6.HeaderLength] & 0x80) != 0);
        int headerLength = Ipv4.HeaderLength(packet);
        if ((Ipv4.FragmentWord(packet) & Ipv4.FragmentPositionMask) != 0) return false;
        // Queries may be answered with errors: echo, timestamp, information, mask (types 8, 13, 15, 17) and their replies.
        return Ipv4.Protocol(packet) != IpProtocol.Icmp || (length > headerLength && packet[headerLength] is 0 or 8 or (>= 13 and <= 18));
    }

    /// <summary>Writes an error about an IPv4 packet.</summary>
    /// <param name="kind">What went wrong.</param>
    /// <param name="offender">The packet, <paramref name="length"/> bytes of it.</param>
    /// <param name="length">Its IP length.</param>
    /// <param name="source">Source of the error, host order; the receiver must not own it, or its kernel drops the error as martian.</param>
    /// <param name="destination">At least <see cref="MaxSize"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    internal static int WriteIpv4(IcmpErrorKind kind, byte* offender, int length, uint source, byte* destination)
    {
        const int Headers = Ipv4.MinHeaderLength + IcmpHeaderSize;
        int quoted = Math.Min(length, MaxSizeIpv4 - Headers);
        var target = new Span<byte>(destination, Headers + quoted);
        target[..Headers].Clear();
        target[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(target[2..], (ushort)target.Length);
        target[8] = InitialTtl;
        target[9] = IpProtocol.Icmp;
        BinaryPrimitives.WriteUInt32BigEndian(target[12..], source);
        new ReadOnlySpan<byte>(offender + 12, 4).CopyTo(target[16..]);
        Ipv4.WriteChecksum(destination);
        target[20] = kind == IcmpErrorKind.TimeExceeded ? (byte)11 : (byte)3;
        new ReadOnlySpan<byte>(offender, quoted).CopyTo(target[Headers..]);
        *(ushort*)(destination + 22) = InternetChecksum.Finish(InternetChecksum.Sum(destination + 20, (nuint)(IcmpHeaderSize + quoted)));
        return target.Length;
    }

    /// <summary>Writes an error about an IPv6 packet; the source is a number, the rest as for IPv4.</summary>
    internal static int WriteIpv6(IcmpErrorKind kind, byte* offender, int length, UInt128 source, byte* destination)
    {
        const int Headers = Ipv6.HeaderLength + IcmpHeaderSize;
        int quoted = Math.Min(length, MaxSize - Headers);
        var target = new Span<byte>(destination, Headers + quoted);
        target[..Headers].Clear();
        target[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(target[4..], (ushort)(IcmpHeaderSize + quoted));
        target[6] = IpProtocol.IcmpV6;
        target[7] = InitialTtl;
        BinaryPrimitives.WriteUInt128BigEndian(target[8..], source);
        new ReadOnlySpan<byte>(offender + 8, 16).CopyTo(target[24..]);
        target[40] = kind == IcmpErrorKind.TimeExceeded ? (byte)3 : (byte)1;
        new ReadOnlySpan<byte>(offender, quoted).CopyTo(target[Headers..]);
        uint icmpLength = (uint)(IcmpHeaderSize + quoted);
        ulong sum = InternetChecksum.PseudoHeader(destination, 6, IpProtocol.IcmpV6, icmpLength);
        *(ushort*)(destination + 42) = InternetChecksum.Finish(sum + InternetChecksum.Sum(destination + 40, icmpLength));
        return target.Length;
    }
}
