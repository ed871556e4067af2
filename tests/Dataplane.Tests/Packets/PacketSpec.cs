using System.Buffers.Binary;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>What a test packet is made of; <see cref="Build"/> writes it down byte by byte, with right lengths and checksums.</summary>
internal sealed record PacketSpec
{
    internal int Version { get; init; } = 4;
    internal byte Protocol { get; init; } = IpProtocol.Tcp;
    internal byte SourceHost { get; init; } = 1;
    internal byte DestinationHost { get; init; } = 2;
    internal byte Tos { get; init; }
    internal byte Ttl { get; init; } = 63;
    internal ushort Id { get; init; } = 0x1234;
    internal ushort Fragment { get; init; } = Ipv4.DontFragment;
    internal int FlowLabel { get; init; } = 0x54321;

    /// <summary>IPv4 options, or IPv6 destination options in one extension header of this length (a multiple of 4, or of 8).</summary>
    internal int IpOptions { get; init; }
    internal ushort SourcePort { get; init; } = 40000;
    internal ushort DestinationPort { get; init; } = 5201;
    internal uint Sequence { get; init; } = 1000;
    internal uint Acknowledgment { get; init; } = 7777;
    internal byte Flags { get; init; } = Tcp.Ack;
    internal byte Reserved { get; init; }
    internal ushort Window { get; init; } = 501;
    internal ushort Urgent { get; init; }

    /// <summary>TCP options, a multiple of 4 bytes.</summary>
    internal byte[] Options { get; init; } = [];
    internal byte[] Payload { get; init; } = [];

    internal int IpHeaderLength => (Version == 4 ? 20 : 40) + IpOptions;
    internal int L4HeaderLength => Protocol == IpProtocol.Tcp ? 20 + Options.Length : 8;
    internal int HeaderLength => IpHeaderLength + L4HeaderLength;
    internal int ChecksumField => IpHeaderLength + (Protocol == IpProtocol.Tcp ? 16 : 6);

    /// <summary>The packet with a complete L4 checksum.</summary>
    internal byte[] Build()
    {
        byte[] packet = BuildPartial();
        int sum = SlowChecksum.Sum(packet.AsSpan(IpHeaderLength));
        int checksum = ~sum & 0xFFFF;
        if (checksum == 0 && Protocol == IpProtocol.Udp) checksum = 0xFFFF;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(ChecksumField), (ushort)checksum);
        return packet;
    }

    /// <summary>The packet as a sender leaves it to a device that computes checksums: the field holds the pseudo-header's sum.</summary>
    internal byte[] BuildPartial()
    {
        byte[] packet = new byte[HeaderLength + Payload.Length];
        WriteIp(packet);
        Span<byte> l4 = packet.AsSpan(IpHeaderLength);
        BinaryPrimitives.WriteUInt16BigEndian(l4, SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(l4[2..], DestinationPort);
        if (Protocol == IpProtocol.Tcp)
        {
            BinaryPrimitives.WriteUInt32BigEndian(l4[4..], Sequence);
            BinaryPrimitives.WriteUInt32BigEndian(l4[8..], Acknowledgment);
            l4[12] = (byte)(L4HeaderLength / 4 << 4 | Reserved);
            l4[13] = Flags;
            BinaryPrimitives.WriteUInt16BigEndian(l4[14..], Window);
            BinaryPrimitives.WriteUInt16BigEndian(l4[18..], Urgent);
            Options.CopyTo(l4[20..]);
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(l4[4..], (ushort)l4.Length);
        }
        Payload.CopyTo(l4[L4HeaderLength..]);
        int pseudo = SlowChecksum.PseudoHeader(packet, Protocol, l4.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(ChecksumField), (ushort)pseudo);
        return packet;
    }

    private void WriteIp(Span<byte> packet)
    {
        if (Version == 4)
        {
            packet[0] = (byte)(0x40 | IpHeaderLength / 4);
            packet[1] = Tos;
            BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
            BinaryPrimitives.WriteUInt16BigEndian(packet[4..], Id);
            BinaryPrimitives.WriteUInt16BigEndian(packet[6..], Fragment);
            packet[8] = Ttl;
            packet[9] = Protocol;
            packet[12..16].Clear();
            packet[12] = packet[16] = 10;
            packet[15] = SourceHost;
            packet[19] = DestinationHost;
            packet.Slice(20, IpOptions).Fill(1);
            BinaryPrimitives.WriteUInt16BigEndian(packet[10..], (ushort)~SlowChecksum.Sum(packet[..IpHeaderLength]));
            return;
        }
        BinaryPrimitives.WriteUInt32BigEndian(packet, 0x6000_0000 | (uint)Tos << 20 | (uint)FlowLabel);
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)(packet.Length - 40));
        packet[6] = IpOptions > 0 ? IpProtocol.DestinationOptions : Protocol;
        packet[7] = Ttl;
        packet[8] = packet[24] = 0xFD;
        packet[23] = SourceHost;
        packet[39] = DestinationHost;
        if (IpOptions == 0) return;
        packet[40] = Protocol;
        packet[41] = (byte)(IpOptions / 8 - 1);
        packet[42] = 1;
        packet[43] = (byte)(IpOptions - 4);
    }
}
