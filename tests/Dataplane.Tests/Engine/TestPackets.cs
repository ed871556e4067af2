using System.Buffers.Binary;
using FlannelFast.Dataplane.Tests.Packets;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>Builds packets field by field, with checksums summed byte by byte: independent of the code under test.</summary>
internal static class TestPackets
{
    public const int VnetSize = 10;

    /// <summary>"10.5.1.2" as a number.</summary>
    public static uint Ip(string text) => BinaryPrimitives.ReadUInt32BigEndian(System.Net.IPAddress.Parse(text).GetAddressBytes());

    public static byte[] Udp4(uint source, uint destination, ReadOnlySpan<byte> payload, byte ttl = 64, int sourcePort = 1000, int destinationPort = 2000)
    {
        var datagram = new byte[8 + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), (ushort)destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)datagram.Length);
        payload.CopyTo(datagram.AsSpan(8));
        byte[] packet = Ipv4(source, destination, 17, datagram, ttl);
        WriteL4Checksum(packet, 20, 6);
        return packet;
    }

    public static byte[] Tcp4(uint source, uint destination, uint sequence, byte flags, ReadOnlySpan<byte> payload, byte ttl = 64, int sourcePort = 1000)
    {
        var segment = new byte[20 + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(segment, (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), 5001);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(8), 77);
        segment[12] = 0x50;
        segment[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(14), 500);
        payload.CopyTo(segment.AsSpan(20));
        byte[] packet = Ipv4(source, destination, 6, segment, ttl);
        WriteL4Checksum(packet, 20, 16);
        return packet;
    }

    public static byte[] Ipv4(uint source, uint destination, byte protocol, ReadOnlySpan<byte> payload, byte ttl = 64, ushort fragment = 0x4000, byte[]? options = null)
    {
        int header = 20 + (options?.Length ?? 0);
        var packet = new byte[header + payload.Length];
        packet[0] = (byte)(0x40 | header / 4);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), 0x1234);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), fragment);
        packet[8] = ttl;
        packet[9] = protocol;
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(12), source);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(16), destination);
        options?.CopyTo(packet, 20);
        payload.CopyTo(packet.AsSpan(header));
        FixHeaderChecksum(packet);
        return packet;
    }

    public static byte[] Udp6(UInt128 source, UInt128 destination, ReadOnlySpan<byte> payload, byte hopLimit = 64)
    {
        var packet = new byte[48 + payload.Length];
        packet[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)(8 + payload.Length));
        packet[6] = 17;
        packet[7] = hopLimit;
        BinaryPrimitives.WriteUInt128BigEndian(packet.AsSpan(8), source);
        BinaryPrimitives.WriteUInt128BigEndian(packet.AsSpan(24), destination);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(40), 1000);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(42), 2000);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(44), (ushort)(8 + payload.Length));
        payload.CopyTo(packet.AsSpan(48));
        WriteL4Checksum(packet, 40, 6);
        return packet;
    }

    public static void FixHeaderChecksum(Span<byte> packet)
    {
        int header = (packet[0] & 15) * 4;
        packet[10] = packet[11] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], (ushort)~Sum(packet[..header], 0));
    }

    /// <summary>True when the IPv4 header checksum and (for TCP and UDP, unless a fragment) the transport checksum are right.</summary>
    public static bool ChecksumsAreRight(ReadOnlySpan<byte> packet)
    {
        int header = packet[0] >> 4 == 4 ? (packet[0] & 15) * 4 : 40;
        if (packet[0] >> 4 == 4 && Sum(packet[..header], 0) != 0xFFFF) return false;
        int protocol = packet[0] >> 4 == 4 ? packet[9] : packet[6];
        return protocol is not (6 or 17) || Sum(packet[header..], PseudoSum(packet, header)) == 0xFFFF;
    }

    /// <summary>The 16-bit sum of the addresses, protocol and length, folded.</summary>
    public static uint PseudoSum(ReadOnlySpan<byte> packet, int header)
    {
        bool v6 = packet[0] >> 4 == 6;
        uint start = (uint)(v6 ? packet[6] : packet[9]) + (uint)(packet.Length - header);
        return Sum(v6 ? packet.Slice(8, 32) : packet.Slice(12, 8), start);
    }

    public static void WriteL4Checksum(Span<byte> packet, int header, int offset)
    {
        packet[header + offset] = packet[header + offset + 1] = 0;
        ushort sum = (ushort)~Sum(packet[header..], PseudoSum(packet, header));
        if (sum == 0 && offset == 6) sum = 0xFFFF;
        BinaryPrimitives.WriteUInt16BigEndian(packet[(header + offset)..], sum);
    }

    public static ushort Sum(ReadOnlySpan<byte> data, uint start) => (ushort)SlowChecksum.Sum(data, (int)(start % 0xFFFF == 0 && start > 0 ? 0xFFFF : start % 0xFFFF));

    public static byte[] WithVnet(byte[] packet, byte flags = 0, byte gsoType = 0, int headerLength = 0, int gsoSize = 0, int csumStart = 0, int csumOffset = 0)
    {
        var frame = new byte[VnetSize + packet.Length];
        frame[0] = flags;
        frame[1] = gsoType;
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(2), (ushort)headerLength);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(4), (ushort)gsoSize);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(6), (ushort)csumStart);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(8), (ushort)csumOffset);
        packet.CopyTo(frame, VnetSize);
        return frame;
    }

    /// <summary>A TCP super-packet as the kernel hands it to a TUN: checksum field = folded pseudo-header sum.</summary>
    public static byte[] TcpSuper(uint source, uint destination, int payload, int gsoSize, byte flags = 0x18, byte ttl = 64)
    {
        byte[] data = new byte[payload];
        new Random(payload).NextBytes(data);
        byte[] packet = Tcp4(source, destination, 1_000_000, flags, data, ttl);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(36), (ushort)PseudoSum(packet, 20));
        return WithVnet(packet, flags: 1, gsoType: 1, headerLength: 40, gsoSize: gsoSize, csumStart: 20, csumOffset: 16);
    }

    /// <summary>An Ethernet and VXLAN header in front of an IP packet.</summary>
    public static byte[] Vxlan(byte[] packet, ulong destinationMac, ulong sourceMac, int vni, uint flags = 0x08000000, int etherType = 0x0800)
    {
        var datagram = new byte[22 + packet.Length];
        BinaryPrimitives.WriteUInt32BigEndian(datagram, flags);
        BinaryPrimitives.WriteUInt32BigEndian(datagram.AsSpan(4), (uint)vni << 8);
        for (int i = 0; i < 6; i++)
        {
            datagram[8 + i] = (byte)(destinationMac >> 8 * (5 - i));
            datagram[14 + i] = (byte)(sourceMac >> 8 * (5 - i));
        }
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(20), (ushort)etherType);
        packet.CopyTo(datagram, 22);
        return datagram;
    }
}
