using System.Runtime.CompilerServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Packets;

internal sealed unsafe partial class Coalescer
{
    // UDP_MAX_SEGMENTS since Linux 6.9. The sender is a kernel of this host, so it never has more than ours takes.
    private const int MaxUdpSuperPacketSegments = 128;

    /// <summary>
    /// How long the segments of an uncut TCP super-packet may be whose sender's choice nobody told: a UDP socket learns the length of inner UDP segments only (udp_cmsg_recv).
    /// One packet to the TUN, it would be too long for whatever interface it is forwarded to. The answer is the longest segment that fits the device: what the sender
    /// took cannot be told from the packet.
    /// </summary>
    /// <remarks>
    /// A complete checksum tells a packet that was sent at this length: one packet it stays, for path MTU discovery to judge. So does UDP of any length: as the kernel tells the
    /// segments of it, what comes without a word is one datagram, which must not be cut.
    /// </remarks>
    /// <param name="packet">A packet with a validated IPv4 or IPv6 header.</param>
    /// <param name="length">Its bytes, equal to the IP header's length field.</param>
    /// <param name="mtu">Of the TUN device, in bytes.</param>
    /// <returns>Payload bytes per segment, less than the packet has and good for <see cref="AddSuperPacket"/>; 0 for what is no such super-packet.</returns>
    internal static int FitSegment(byte* packet, int length, int mtu)
    {
        if (length <= mtu) return 0;
        bool isIpv4 = Ipv4.Version(packet) == 4;
        int l4Offset = isIpv4 ? Ipv4.HeaderLength(packet) : Ipv6.HeaderLength;
        byte protocol = isIpv4 ? Ipv4.Protocol(packet) : Ipv6.NextHeader(packet);
        if (protocol != IpProtocol.Tcp || (isIpv4 && Ipv4.IsFragment(packet)) || length - l4Offset < Tcp.MinHeaderLength) return 0;
        int headerLength = Tcp.HeaderLength(packet + l4Offset);
        if (headerLength < Tcp.MinHeaderLength || !IsPartial(packet, length, l4Offset, protocol)) return 0;
        return Math.Max(mtu - l4Offset - headerLength, 0);
    }

    /// <summary>
    /// Adds a super-packet that a sender's kernel on this host never cut (its VXLAN device and ours meet over veth): one
    /// datagram, one inner packet of many segments, its checksum postponed. It goes to the TUN as it is.
    /// </summary>
    /// <param name="packet">A validated IPv4 or IPv6 packet. Borrowed until <see cref="Reset"/>; its checksum field is rewritten.</param>
    /// <param name="length">Its bytes, equal to the IP header's length field.</param>
    /// <param name="gsoSize">Payload bytes per segment, as UDP_GRO reported or <see cref="FitSegment"/> found.</param>
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
}
