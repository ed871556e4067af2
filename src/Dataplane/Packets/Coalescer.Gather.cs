using System.Runtime.CompilerServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Packets;

internal sealed unsafe partial class Coalescer
{
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
