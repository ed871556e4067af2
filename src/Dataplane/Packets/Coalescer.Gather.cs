using System.Runtime.CompilerServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Packets;

internal sealed unsafe partial class Coalescer
{
    // UDP_MAX_SEGMENTS since Linux 6.9. The sender is a kernel of this host, so it never has more than ours takes.
    private const int MaxUdpSuperPacketSegments = 128;

    /// <summary>
    /// Finishes the headers of an item and lists what to write: the virtio-net header, the first packet, the payloads of the
    /// others. May be repeated, with the same result. Items are in the order of their first packets; write them in it.
    /// </summary>
    /// <param name="item">0 to <see cref="ItemCount"/> - 1.</param>
    /// <param name="iov">Filled; valid until <see cref="Reset"/>.</param>
    /// <param name="maxIov">Its length, at least <see cref="MaxIovecs"/>.</param>
    /// <param name="packets">How many packets the item stands for.</param>
    /// <returns>Number of iovecs, 2 to <see cref="MaxIovecs"/>.</returns>
    internal int Gather(int item, iovec* iov, int maxIov, out int packets)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxIov, MaxIovecs);
        ref Item lead = ref At(item);
        virtio_net_hdr* header = (virtio_net_hdr*)Unsafe.AsPointer(ref _headers[item]);
        packets = lead.Packets;
        if (!lead.IsSuperPacket)
        {
            if (packets > 1) Finish(in lead, header);
            else WriteSingleHeader(in lead, header);
        }

        iov[0] = new() { iov_base = header, iov_len = (nuint)sizeof(virtio_net_hdr) };
        iov[1] = new() { iov_base = lead.Packet, iov_len = (nuint)lead.Length };
        int count = 2;
        for (int slice = lead.FirstSlice; slice >= 0; slice = _slices[slice].Next, count++)
            iov[count] = new() { iov_base = _slices[slice].Payload, iov_len = (nuint)_slices[slice].Length };
        return count;
    }

    /// <summary>
    /// Adds a super-packet that a sender's kernel on this host never cut (its VXLAN device and ours meet over veth): one
    /// datagram, one inner packet of many segments, its checksum postponed. It goes to the TUN as it is.
    /// </summary>
    /// <param name="packet">A validated IPv4 or IPv6 packet. Borrowed until <see cref="Reset"/>; its checksum field is rewritten.</param>
    /// <param name="length">Its bytes, equal to the IP header's length field.</param>
    /// <param name="gsoSize">Payload bytes per segment, as UDP_GRO reported.</param>
    /// <param name="segments">What it counts as.</param>
    /// <returns>
    /// False, and nothing added, for what no virtio-net header can express: neither TCP nor UDP, fragments, IPv6 extension
    /// headers, a contradicting length, more segments than USO has, or a checksum that is neither postponed nor right.
    /// </returns>
    internal bool AddSuperPacket(byte* packet, int length, int gsoSize, int segments)
    {
        if (IsFull) ThrowFull();
        Kind kind = Classify(packet, length, out Segment segment);
        if (segment.L4Offset == 0 || gsoSize is < 1 or >= 0xFFFF) return false;
        byte* l4 = packet + segment.L4Offset;
        bool isTcp = segment.Protocol == IpProtocol.Tcp;
        int headerLength = segment.L4Offset + (isTcp ? Tcp.HeaderLength(l4) : Udp.HeaderLength);
        int payload = length - headerLength;
        if (payload < 0) return false;
        if (isTcp && headerLength < segment.L4Offset + Tcp.MinHeaderLength) return false;
        if (!isTcp && (Udp.Length(l4) != length - segment.L4Offset || Udp.RawChecksum(l4) == 0
            || payload > (long)gsoSize * MaxUdpSuperPacketSegments)) return false;
        // A wrong checksum must not become a right one by being computed anew.
        if (!HasGoodChecksum(packet, length, segment.L4Offset, segment.Protocol)) return false;

        _packets++;
        ref Item item = ref AddClosed(kind, in segment);
        item.IsSuperPacket = true;
        item.Packets = segments;
        item.HeaderLength = (byte)headerLength;
        item.SegmentSize = gsoSize;
        virtio_net_hdr* header = (virtio_net_hdr*)Unsafe.AsPointer(ref _headers[_itemCount - 1]);
        WritePseudoSum(in item);
        *header = payload > gsoSize ? SuperPacketHeader(in item) : PartialHeader(in item);
        return true;
    }

    private static void WriteSingleHeader(in Item item, virtio_net_hdr* header) =>
        // All zero: the checksum is in the packet, and the kernel verifies it where the packet is received.
        *header = item.L4Offset != 0 && IsPartial(item.Packet, item.Length, item.L4Offset, item.Protocol)
            ? PartialHeader(in item) : default;

    private static void Finish(in Item item, virtio_net_hdr* header)
    {
        byte* packet = item.Packet;
        byte* l4 = packet + item.L4Offset;
        if (Ipv4.Version(packet) == 4)
        {
            Wire.WriteUInt16(packet + Ipv4.TotalLengthOffset, (ushort)item.TotalLength);
            Ipv4.WriteChecksum(packet);
        }
        else
        {
            Wire.WriteUInt16(packet + Ipv6.PayloadLengthOffset, (ushort)(item.TotalLength - Ipv6.HeaderLength));
        }
        if (item.Protocol == IpProtocol.Udp) Wire.WriteUInt16(l4 + Udp.LengthOffset, (ushort)(item.TotalLength - item.L4Offset));
        else if (item.Push) l4[Tcp.FlagsOffset] |= Tcp.Psh;
        WritePseudoSum(in item);
        *header = SuperPacketHeader(in item);
    }

    /// <summary>What a checksum field holds while its checksum is postponed.</summary>
    private static void WritePseudoSum(in Item item) =>
        Wire.WriteRaw16(item.Packet + item.L4Offset + ChecksumOffset(in item), InternetChecksum.Fold(InternetChecksum.PseudoHeader(
            item.Packet, Ipv4.Version(item.Packet), item.Protocol, (uint)(item.TotalLength - item.L4Offset))));

    private static virtio_net_hdr PartialHeader(in Item item) => new()
    {
        flags = Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM,
        csum_start = item.L4Offset,
        csum_offset = ChecksumOffset(in item),
    };

    private static virtio_net_hdr SuperPacketHeader(in Item item)
    {
        virtio_net_hdr header = PartialHeader(in item);
        // The true length: with 0 tun_get_user would copy a page of payload into the linear part of the skb.
        header.hdr_len = item.HeaderLength;
        header.gso_size = (ushort)item.SegmentSize;
        header.gso_type = item.Protocol == IpProtocol.Udp ? Libc.VIRTIO_NET_HDR_GSO_UDP_L4
            : Ipv4.Version(item.Packet) == 4 ? Libc.VIRTIO_NET_HDR_GSO_TCPV4 : Libc.VIRTIO_NET_HDR_GSO_TCPV6;
        if (item.Protocol == IpProtocol.Tcp && (Tcp.Flags(item.Packet + item.L4Offset) & Tcp.Cwr) != 0)
            header.gso_type |= Libc.VIRTIO_NET_HDR_GSO_ECN;
        return header;
    }

    private static ushort ChecksumOffset(in Item item) =>
        (ushort)(item.Protocol == IpProtocol.Tcp ? Tcp.ChecksumOffset : Udp.ChecksumOffset);
}
