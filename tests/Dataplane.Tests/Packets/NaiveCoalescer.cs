using System.Buffers.Binary;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>
/// Coalescing turned round: a packet may join if the naive segmenter, given the longer super-packet, returns exactly the packets
/// that are in it. What this cannot say (flags that never merge, bounds, what closes a flow) is said in words.
/// </summary>
internal static class NaiveCoalescer
{
    /// <summary>The bursts' packets in groups, a group for each frame, in the order of the frames.</summary>
    internal static List<List<byte[]>> Merge(IReadOnlyList<byte[]> packets)
    {
        List<List<byte[]>> groups = [];
        foreach (byte[] packet in packets)
        {
            // Newest group first: what has no ports and the same addresses is a wall, of the flow only the newest group counts.
            int candidate = -1;
            for (int i = groups.Count - 1; i >= 0 && candidate < 0; i--)
            {
                byte[] lead = groups[i][0];
                if (!HasSameAddresses(lead, packet)) continue;
                if (Flow(lead) is not string flow) break;
                if (flow == Flow(packet)) candidate = i;
            }
            if (candidate >= 0 && MayJoin(groups[candidate], packet)) groups[candidate].Add(packet);
            else groups.Add([packet]);
        }
        return groups;
    }

    /// <summary>Addresses, protocol and ports; null for what shows no ports.</summary>
    internal static string? Flow(byte[] packet)
    {
        bool ipv4 = packet[0] >> 4 == 4;
        int header = ipv4 ? 20 : 40;
        byte protocol = ipv4 ? packet[9] : packet[6];
        int minimum = protocol switch { IpProtocol.Tcp => 20, IpProtocol.Udp => 8, _ => int.MaxValue };
        if (ipv4 && (packet[0] != 0x45 || (packet[6] & 0x3F) != 0 || packet[7] != 0) || packet.Length - header < minimum) return null;
        return $"{Convert.ToHexString(packet, header == 20 ? 12 : 8, header == 20 ? 8 : 32)} {protocol} {Convert.ToHexString(packet, header, 4)}";
    }

    internal static bool HasSameAddresses(byte[] a, byte[] b) => Addresses(a).SequenceEqual(Addresses(b));

    private static ReadOnlySpan<byte> Addresses(byte[] packet) => packet[0] >> 4 == 4 ? packet.AsSpan(12, 8) : packet.AsSpan(8, 32);

    /// <summary>Segmentation counts IPv4 identifications up; with DF set they mean nothing and are not compared.</summary>
    internal static byte[] Normalise(byte[] packet)
    {
        if (packet[0] >> 4 != 4 || (packet[6] & 0x40) == 0) return packet;
        byte[] copy = [.. packet];
        copy.AsSpan(4, 2).Clear();
        copy.AsSpan(10, 2).Clear();
        BinaryPrimitives.WriteUInt16BigEndian(copy.AsSpan(10), (ushort)~SlowChecksum.Sum(copy.AsSpan(0, (copy[0] & 15) * 4)));
        return copy;
    }

    private static bool MayJoin(List<byte[]> group, byte[] packet)
    {
        byte[] lead = group[0];
        if (!MayMergeAtAll(lead) || !MayMergeAtAll(packet)) return false;
        int l4 = lead[0] >> 4 == 4 ? 20 : 40;
        bool tcp = Protocol(lead) == IpProtocol.Tcp;
        if (group.Count == (tcp ? 128 : 64)) return false;
        int header = HeaderLength(lead), size = lead.Length - header;
        byte[] super = [.. lead, .. group.Skip(1).Append(packet).SelectMany(p => p[HeaderLength(p)..])];
        if (super.Length > 65535) return false;
        if (tcp) super[l4 + 13] |= (byte)(packet[l4 + 13] & Tcp.Psh);
        List<byte[]> cut = NaiveSegmenter.Segment(super, l4, size);
        return cut.Count == group.Count + 1
            && cut.Zip(group.Append(packet)).All(pair => Normalise(pair.First).AsSpan().SequenceEqual(Normalise(pair.Second)));
    }

    private static bool MayMergeAtAll(byte[] packet)
    {
        int l4 = packet[0] >> 4 == 4 ? 20 : 40;
        if (Protocol(packet) == IpProtocol.Udp)
        {
            return packet.Length > l4 + 8 && (packet[l4 + 6] | packet[l4 + 7]) != 0
                && BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(l4 + 4)) == packet.Length - l4;
        }
        return (packet[l4 + 12] & 15) == 0 && packet[l4 + 12] >= 0x50 && HeaderLength(packet) < packet.Length
            && (packet[l4 + 13] & ~Tcp.Psh) == Tcp.Ack;
    }

    private static byte Protocol(byte[] packet) => packet[0] >> 4 == 4 ? packet[9] : packet[6];

    private static int HeaderLength(byte[] packet)
    {
        int l4 = packet[0] >> 4 == 4 ? 20 : 40;
        return l4 + (Protocol(packet) == IpProtocol.Tcp ? (packet[l4 + 12] >> 4) * 4 : 8);
    }
}
