namespace FlannelFast.Dataplane.Packets;

internal sealed unsafe partial class Coalescer
{
    private enum Verdict : byte
    {
        /// <summary>The packet is part of the item now.</summary>
        Joined,

        /// <summary>It starts an item of its own, its checksum not looked at.</summary>
        Apart,

        /// <summary>It starts an item of its own, with a right checksum.</summary>
        ApartButGood,

        /// <summary>It stays alone for good: its checksum is wrong.</summary>
        ApartAndBad,
    }

    /// <summary>
    /// Appends a packet to the newest item of its flow if segmentation would give back exactly this packet. Checksums are
    /// verified last, and that of the item's first packet only now: a packet nobody joins is left to the kernel.
    /// </summary>
    private Verdict TryAppend(int newest, in Segment segment)
    {
        ref Item item = ref _items[newest];
        int payload = segment.Length - segment.HeaderLength;
        bool isTcp = segment.Protocol == IpProtocol.Tcp;
        if (!item.IsOpen || IsBehindBarrier(newest, in segment)
            || payload > item.SegmentSize || item.TotalLength + payload > Ipv4.MaxLength
            || !HasSameIpHeader(in item, in segment)
            || isTcp && !HasSameTcpHeader(in item, in segment)) return Verdict.Apart;

        if (!HasGoodChecksum(segment.Packet, segment.Length, segment.L4Offset, segment.Protocol)) return Verdict.ApartAndBad;
        if (!item.IsVerified && !HasGoodChecksum(item.Packet, item.Length, item.L4Offset, item.Protocol)) return Verdict.ApartButGood;

        int slice = _sliceCount++;
        _slices[slice] = new() { Payload = segment.Packet + segment.HeaderLength, Length = payload, Next = -1 };
        if (item.LastSlice < 0) item.FirstSlice = slice;
        else _slices[item.LastSlice].Next = slice;
        item.LastSlice = slice;
        item.Packets++;
        item.TotalLength += payload;
        item.PacketBytes += segment.Length;
        item.NextSequence += (uint)payload;
        item.NextIdentification++;
        item.IsVerified = true;
        item.Push = segment.Push;
        item.IsOpen = !segment.Push && payload == item.SegmentSize && item.Packets < (isTcp ? MaxTcpPackets : MaxUdpPackets);
        return Verdict.Joined;
    }

    private static bool HasSameIpHeader(in Item item, in Segment segment)
    {
        byte* first = item.Packet, packet = segment.Packet;
        if (!segment.IsIpv4)
        {
            // Two bytes from the next header on: it and the hop limit.
            return Ipv6.RawFlowWord(first) == Ipv6.RawFlowWord(packet)
                && Wire.ReadRaw16(first + Ipv6.NextHeaderOffset) == Wire.ReadRaw16(packet + Ipv6.NextHeaderOffset);
        }
        // Version, header length and TOS; flags; time to live and protocol. Segmentation counts the identification up, which
        // is wrong for any other one, unless "don't fragment" makes it meaningless (RFC 6864 section 4.1).
        return Wire.ReadRaw16(first) == Wire.ReadRaw16(packet)
            && Wire.ReadRaw16(first + Ipv4.FragmentOffset) == Wire.ReadRaw16(packet + Ipv4.FragmentOffset)
            && Wire.ReadRaw16(first + Ipv4.TtlOffset) == Wire.ReadRaw16(packet + Ipv4.TtlOffset)
            && ((Ipv4.FragmentWord(packet) & Ipv4.DontFragment) != 0 || Ipv4.Identification(packet) == item.NextIdentification);
    }

    private static bool HasSameTcpHeader(in Item item, in Segment segment)
    {
        if (item.HeaderLength != segment.HeaderLength) return false;
        byte* first = item.Packet + item.L4Offset, tcp = segment.Packet + segment.L4Offset;
        int options = segment.HeaderLength - segment.L4Offset - Tcp.OptionsOffset;
        // The window too, as the kernel's tcp_gro_receive demands: it would be that of the first packet for all.
        return Tcp.Sequence(tcp) == item.NextSequence
            && Wire.ReadRaw32(first + Tcp.AcknowledgmentOffset) == Wire.ReadRaw32(tcp + Tcp.AcknowledgmentOffset)
            && Wire.ReadRaw16(first + Tcp.WindowOffset) == Wire.ReadRaw16(tcp + Tcp.WindowOffset)
            && Wire.ReadRaw16(first + Tcp.UrgentOffset) == Wire.ReadRaw16(tcp + Tcp.UrgentOffset)
            && new ReadOnlySpan<byte>(first + Tcp.OptionsOffset, options).SequenceEqual(new(tcp + Tcp.OptionsOffset, options));
    }

    /// <summary>True if the L4 checksum is right, or postponed: see <see cref="IsPartial"/>.</summary>
    private static bool HasGoodChecksum(byte* packet, int length, int l4Offset, byte protocol)
    {
        ulong pseudo = InternetChecksum.PseudoHeader(packet, Ipv4.Version(packet), protocol, (uint)(length - l4Offset));
        return ReadChecksum(packet + l4Offset, protocol) == InternetChecksum.Fold(pseudo)
            || InternetChecksum.Fold(pseudo + InternetChecksum.Sum(packet + l4Offset, (nuint)(length - l4Offset))) == 0xFFFF;
    }

    /// <summary>
    /// True if the checksum field holds the folded sum of the pseudo-header: CHECKSUM_PARTIAL, which a kernel sender on this
    /// host leaves for a network card that the packet never met (measured over veth with the kernel's VXLAN device, single
    /// packets and super-packets). A complete checksum has this value by chance once in 65536; finishing it again gives the same.
    /// Who sends it on purpose gains nothing over sending a right checksum; damage on the wire is the outer checksum's to find.
    /// </summary>
    private static bool IsPartial(byte* packet, int length, int l4Offset, byte protocol) =>
        ReadChecksum(packet + l4Offset, protocol)
            == InternetChecksum.Fold(InternetChecksum.PseudoHeader(packet, Ipv4.Version(packet), protocol, (uint)(length - l4Offset)));

    private static ushort ReadChecksum(byte* l4, byte protocol) => protocol == IpProtocol.Tcp ? Tcp.RawChecksum(l4) : Udp.RawChecksum(l4);
}
