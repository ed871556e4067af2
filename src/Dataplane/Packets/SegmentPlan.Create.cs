using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Packets;

internal unsafe partial struct SegmentPlan
{
    // A local sender can put four extension headers before TCP (RFC 3542 sticky options); forwarded ones may have some more.
    private const int MaxExtensionHeaders = 8;

    /// <summary>
    /// Plans the wire packets of one frame. False if the virtio-net header contradicts the packet: the frame must be dropped
    /// as <c>bad_vnet</c>. Nothing beyond <paramref name="length"/> bytes is read, whatever the header says.
    /// </summary>
    /// <param name="vnet">The header in front of the frame, host byte order.</param>
    /// <param name="packet">The IP packet, its IP header validated: version, header length, total length.</param>
    /// <param name="length">Bytes of the packet, 1 to 65575.</param>
    /// <param name="plan">The plan, valid as long as the frame.</param>
    internal static bool TryCreate(in virtio_net_hdr vnet, byte* packet, int length, out SegmentPlan plan)
    {
        plan = default;
        plan._packet = packet;
        plan._length = length;
        plan.Count = 1;

        // Other flags belong to features that TUNSETOFFLOAD did not ask for and change what the fields mean (RSC_INFO).
        const byte KnownFlags = Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM | Libc.VIRTIO_NET_HDR_F_DATA_VALID;
        if ((vnet.flags & ~KnownFlags) != 0) return false;
        // hdr_len is nothing but checked: for forwarded packets the kernel stores skb_headlen there, which may be anything from
        // the headers to the whole packet (virtio_net_hdr_from_skb).
        if (vnet.hdr_len > length) return false;

        bool needsChecksum = (vnet.flags & Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
        if (vnet.gso_type == Libc.VIRTIO_NET_HDR_GSO_NONE)
            return !needsChecksum || plan.TryFinishChecksum(vnet);
        // Whoever segments must finish the checksums: virtio 1.2 section 5.1.6.2 demands both or none.
        return needsChecksum && vnet.gso_size != 0 && plan.TrySegment(vnet);
    }

    private bool TryFinishChecksum(in virtio_net_hdr vnet)
    {
        if (!TryReadIpHeader(out int ipHeaderLength)) return false;
        int field = vnet.csum_start + vnet.csum_offset;
        // Over the IP header nothing has a postponed checksum, and an odd place is no word of the sum it would complete.
        if (vnet.csum_start < ipHeaderLength || field + sizeof(ushort) > _length || (vnet.csum_offset & 1) != 0) return false;
        _headerLength = vnet.csum_start;
        _checksumOffset = vnet.csum_offset;
        _work = Work.FinishChecksum;
        return true;
    }

    private bool TrySegment(in virtio_net_hdr vnet)
    {
        if (!TryReadIpHeader(out int ipHeaderLength)) return false;
        byte protocol;
        switch (vnet.gso_type)
        {
            case Libc.VIRTIO_NET_HDR_GSO_TCPV4:
            case Libc.VIRTIO_NET_HDR_GSO_TCPV4 | Libc.VIRTIO_NET_HDR_GSO_ECN:
                if (!_isIpv4) return false;
                protocol = IpProtocol.Tcp;
                break;
            case Libc.VIRTIO_NET_HDR_GSO_TCPV6:
            case Libc.VIRTIO_NET_HDR_GSO_TCPV6 | Libc.VIRTIO_NET_HDR_GSO_ECN:
                if (_isIpv4) return false;
                protocol = IpProtocol.Tcp;
                break;
            case Libc.VIRTIO_NET_HDR_GSO_UDP_L4:
                protocol = IpProtocol.Udp;
                break;
            default:
                return false;
        }
        _l4Offset = vnet.csum_start;
        _checksumOffset = vnet.csum_offset;
        _segmentSize = vnet.gso_size;
        if (!(_isIpv4 ? IsUnfragmentedIpv4(protocol, ipHeaderLength) : IsIpv6(protocol))) return false;
        if (!(protocol == IpProtocol.Tcp ? TryReadTcp() : TryReadUdp())) return false;

        int payload = _length - _headerLength;
        if (payload > 0) Count = (payload + _segmentSize - 1) / _segmentSize;
        return true;
    }

    private bool TryReadIpHeader(out int headerLength)
    {
        headerLength = 0;
        if (_length < Ipv4.MinHeaderLength) return false;
        _isIpv4 = Ipv4.Version(_packet) == 4;
        headerLength = _isIpv4 ? Ipv4.HeaderLength(_packet) : Ipv6.HeaderLength;
        return headerLength >= Ipv4.MinHeaderLength && headerLength <= _length;
    }

    private bool IsUnfragmentedIpv4(byte protocol, int ipHeaderLength)
    {
        if (_l4Offset != ipHeaderLength || Ipv4.Protocol(_packet) != protocol || Ipv4.IsFragment(_packet)) return false;
        _identification = Ipv4.Identification(_packet);
        _ipSum = InternetChecksum.Sum(_packet, (nuint)ipHeaderLength)
            + Without(_packet + Ipv4.TotalLengthOffset)
            + Without(_packet + Ipv4.IdentificationOffset)
            + Without(_packet + Ipv4.ChecksumOffset);
        return true;
    }

    /// <summary>True if the headers from the fixed one on lead to <paramref name="protocol"/> exactly where the checksum starts.</summary>
    private readonly bool IsIpv6(byte protocol)
    {
        byte next = Ipv6.NextHeader(_packet);
        int offset = Ipv6.HeaderLength;
        for (int i = 0; i < MaxExtensionHeaders && offset < _l4Offset && offset + 8 <= _length; i++)
        {
            if (next is not (IpProtocol.HopByHop or IpProtocol.Routing or IpProtocol.DestinationOptions)) return false;
            next = _packet[offset];
            offset += 8 + 8 * _packet[offset + 1];
        }
        return offset == _l4Offset && next == protocol;
    }

    private bool TryReadTcp()
    {
        if (_checksumOffset != Tcp.ChecksumOffset || _l4Offset + Tcp.MinHeaderLength > _length) return false;
        byte* tcp = _packet + _l4Offset;
        int headerLength = Tcp.HeaderLength(tcp);
        _headerLength = _l4Offset + headerLength;
        if (headerLength < Tcp.MinHeaderLength || _headerLength > _length) return false;
        _sequence = Tcp.Sequence(tcp);
        _tcpFlagsWord = Wire.ReadRaw16(tcp + Tcp.DataOffset);
        _l4Sum = SumL4Header(tcp, headerLength)
            + Without(tcp + Tcp.SequenceOffset) + Without(tcp + Tcp.SequenceOffset + sizeof(ushort)) + Without(tcp + Tcp.DataOffset);
        _work = Work.SegmentTcp;
        return true;
    }

    private bool TryReadUdp()
    {
        _headerLength = _l4Offset + Udp.HeaderLength;
        if (_checksumOffset != Udp.ChecksumOffset || _headerLength > _length) return false;
        byte* udp = _packet + _l4Offset;
        _l4Sum = SumL4Header(udp, Udp.HeaderLength) + Without(udp + Udp.LengthOffset);
        _work = Work.SegmentUdp;
        return true;
    }

    // The checksum field holds the pseudo-header's sum with the length of the whole super-packet (__tcp_v4_send_check,
    // tcp_gro_complete, udp4_hwcsum). Like tcp_gso_segment this starts from it instead of summing the addresses: right also
    // behind an IPv6 routing header, where the destination in the IP header is not the one that counts, and a packet whose field
    // is wrong is not laundered into a valid one.
    private readonly ulong SumL4Header(byte* l4, int headerLength) =>
        InternetChecksum.Sum(l4, (nuint)headerLength) + (ushort)~Wire.Swap((ushort)(_length - _l4Offset));

    /// <summary>What takes one word out of a sum again: its complement, the negative number of one's complement arithmetic.</summary>
    private static ulong Without(byte* word) => (ushort)~Wire.ReadRaw16(word);
}
