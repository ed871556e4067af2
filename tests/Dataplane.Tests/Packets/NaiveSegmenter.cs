using System.Buffers.Binary;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>Segmentation as the standards tell it: every packet is built anew from its own fields, no sum is carried over.</summary>
internal static class NaiveSegmenter
{
    /// <summary>The wire packets of a super-packet made by <paramref name="spec"/>.</summary>
    internal static List<byte[]> Segment(PacketSpec spec, int segmentSize)
    {
        List<byte[]> packets = [];
        for (int start = 0; start == 0 || start < spec.Payload.Length; start += segmentSize)
        {
            int end = Math.Min(spec.Payload.Length, start + segmentSize);
            bool first = start == 0, last = end == spec.Payload.Length;
            byte flags = spec.Flags;
            if (!first) flags = (byte)(flags & ~Tcp.Cwr);
            if (!last) flags = (byte)(flags & ~(Tcp.Fin | Tcp.Psh));
            packets.Add((spec with
            {
                Id = (ushort)(spec.Id + packets.Count),
                Sequence = spec.Sequence + (uint)start,
                Flags = flags,
                Payload = spec.Payload[start..end],
            }).Build());
        }
        return packets;
    }

    /// <summary>True if the L4 checksum of a complete TCP or UDP packet is right.</summary>
    internal static bool HasValidL4Checksum(ReadOnlySpan<byte> packet)
    {
        int header = packet[0] >> 4 == 4 ? (packet[0] & 15) * 4 : 40;
        byte protocol = packet[0] >> 4 == 4 ? packet[9] : packet[6];
        ReadOnlySpan<byte> l4 = packet[header..];
        return SlowChecksum.Sum(l4, SlowChecksum.PseudoHeader(packet, protocol, l4.Length)) == 0xFFFF;
    }

    /// <summary>The same for a super-packet given as bytes and virtio-net fields, as it stands in a TUN frame.</summary>
    internal static List<byte[]> Segment(ReadOnlySpan<byte> packet, int l4Offset, int segmentSize)
    {
        bool ipv4 = packet[0] >> 4 == 4;
        byte protocol = ipv4 ? packet[9] : packet[6];
        bool tcp = protocol == IpProtocol.Tcp;
        int header = l4Offset + (tcp ? (packet[l4Offset + 12] >> 4) * 4 : 8);
        List<byte[]> packets = [];
        for (int start = 0; start == 0 || header + start < packet.Length; start += segmentSize)
        {
            int end = Math.Min(packet.Length, header + start + segmentSize);
            byte[] wire = [.. packet[..header], .. packet[(header + start)..end]];
            Span<byte> l4 = wire.AsSpan(l4Offset);
            if (ipv4)
            {
                BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(2), (ushort)wire.Length);
                BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(4), (ushort)(BinaryPrimitives.ReadUInt16BigEndian(packet[4..]) + packets.Count));
                wire[10] = wire[11] = 0;
                BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(10), (ushort)~SlowChecksum.Sum(wire.AsSpan(0, l4Offset)));
            }
            else
            {
                BinaryPrimitives.WriteUInt16BigEndian(wire.AsSpan(4), (ushort)(wire.Length - 40));
            }
            if (tcp)
            {
                BinaryPrimitives.WriteUInt32BigEndian(l4[4..], BinaryPrimitives.ReadUInt32BigEndian(l4[4..]) + (uint)start);
                if (start > 0) l4[13] &= 0x7F;
                if (end < packet.Length) l4[13] &= 0xF6;
            }
            else
            {
                BinaryPrimitives.WriteUInt16BigEndian(l4[4..], (ushort)l4.Length);
            }
            int field = tcp ? 16 : 6;
            l4[field] = l4[field + 1] = 0;
            int checksum = ~SlowChecksum.Sum(l4, SlowChecksum.PseudoHeader(wire, protocol, l4.Length)) & 0xFFFF;
            if (checksum == 0 && !tcp) checksum = 0xFFFF;
            BinaryPrimitives.WriteUInt16BigEndian(l4[field..], (ushort)checksum);
            packets.Add(wire);
        }
        return packets;
    }
}
