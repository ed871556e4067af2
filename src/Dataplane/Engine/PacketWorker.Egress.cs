using System.Buffers.Binary;
using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Engine;

/// <summary>Egress: TUN to UDP.</summary>
internal sealed unsafe partial class PacketWorker<TPort, TEncapsulation>
{
    /// <summary>Bytes for one frame: the largest IP packet, and a page so that reads behind short packets stay inside.</summary>
    private const int FrameCapacity = 65536 + 4096;

    /// <summary>
    /// Puts the payload behind 52 bytes of TCP/IPv4 headers on a cache line of its own, where a sender's pages usually have it too: "rep movsb" copies
    /// at 58 instead of 33 GB/s when both sides have the same offset (AMD Zen 4).
    /// </summary>
    private const int FrameOffset = 64 - 52;

    /// <summary>Frames of one burst: bounds the time until the other direction has its turn.</summary>
    private const int EgressBudget = 64;

    /// <summary>Largest inner packet that fits a UDP datagram with any header in front.</summary>
    private const int MaxInnerPacket = 65507 - 22;

    private readonly byte* _frame;
    private readonly iovec* _frameIovs;
    private readonly virtio_net_hdr* _frameVnet;
    private readonly byte* _icmp;

    private static nuint EgressSlabSize => FrameCapacity + IcmpError.MaxSize + 1024;

    private void PrepareEgress()
    {
        _frameIovs[0] = new() { iov_base = _frameVnet, iov_len = (nuint)sizeof(virtio_net_hdr) };
        // A larger frame than this does not exist; the kernel would cut it without saying so.
        _frameIovs[1] = new() { iov_base = _frame, iov_len = 65536 };
    }

    /// <summary>Reads frames until the queue is empty or the budget is used, and sends what they became. Returns the frames read.</summary>
    private int Egress(PeerTable peers)
    {
        int skip = _options.VnetHeader ? 0 : 1;
        int headerSize = _options.VnetHeader ? sizeof(virtio_net_hdr) : 0;
        int frames = 0;
        while (frames < EgressBudget)
        {
            nint read = _port.ReadTun(_frameIovs + skip, 2 - skip);
            if (read <= 0)
            {
                if (read == -Errno.EBADFD) LoseTun();
                break;
            }
            frames++;
            _counters->Egress.Reads++;
            ForwardFrame(peers, (int)read - headerSize);
        }
        _send.Flush(peers);
        return frames;
    }

    private void ForwardFrame(PeerTable peers, int available)
    {
        byte* packet = _frame;
        bool ipv6 = _encapsulation.CarriesIpv6 && available > 0 && Ipv4.Version(packet) == 6;
        DropReason reason = ipv6
            ? InnerPacket.CheckIpv6(packet, available, out int length)
            : InnerPacket.CheckIpv4(packet, available, out length);
        int peer = -1;
        if (reason == DropReason.None) reason = ipv6 ? RouteIpv6(peers, packet, out peer) : RouteIpv4(peers, packet, out peer);
        if (reason == DropReason.None && _encapsulation.DecrementsTtl && !ipv6) reason = DecrementTtl(packet);
        SegmentPlan plan = default;
        if (reason == DropReason.None && !SegmentPlan.TryCreate(*_frameVnet, packet, length, out plan)) reason = DropReason.BadVnetHeader;
        if (reason == DropReason.None && plan.LengthOf(0) > MaxInnerPacket) reason = DropReason.SendTooBig;
        if (reason != DropReason.None)
        {
            DropFrame(reason, packet, available, length, peer, peers);
            return;
        }
        if (length < available) _counters->Trimmed++;
        ref readonly PeerEntry entry = ref peers.Entry(peer);
        _counters->Egress.Packets += plan.Count;
        _counters->Egress.Bytes += length;
        if (IsTcpSuperPacket(_frameVnet->gso_type)) _bulkBytes += length;
        int source = _encapsulation.HasFixedSourcePort ? 0 : _flows.Choose(packet, length, ipv6, _options.SourcePorts);
        for (int i = 0; i < plan.Count; i++)
        {
            int datagram = _encapsulation.Overhead + plan.LengthOf(i);
            byte* place = _send.Reserve(entry, source, datagram);
            if (place == null)
            {
                _send.Flush(peers);
                place = _send.Reserve(entry, source, datagram);
            }
            _encapsulation.WriteHeader(new Span<byte>(place, _encapsulation.Overhead), entry.Mac, ipv6);
            plan.Write(i, place + _encapsulation.Overhead);
        }
    }

    private static bool IsTcpSuperPacket(byte gsoType) =>
        (gsoType & ~Libc.VIRTIO_NET_HDR_GSO_ECN) is Libc.VIRTIO_NET_HDR_GSO_TCPV4 or Libc.VIRTIO_NET_HDR_GSO_TCPV6;

    private DropReason RouteIpv4(PeerTable peers, byte* packet, out int peer)
    {
        uint destination = Ipv4.Destination(packet);
        peer = peers.Find(destination);
        if (peers.IsLocal(destination)) return DropReason.Reflected;
        if (_options.SourceCheck == SourceCheck.Strict && !peers.IsLocal(Ipv4.Source(packet))) return DropReason.SpoofedSource;
        return peer < 0 ? DropReason.NoRoute : DropReason.None;
    }

    private DropReason RouteIpv6(PeerTable peers, byte* packet, out int peer)
    {
        UInt128 destination = InnerPacket.Ipv6Destination(packet);
        peer = peers.Find(destination);
        if (peers.IsLocal(destination)) return DropReason.Reflected;
        if (_options.SourceCheck == SourceCheck.Strict && !peers.IsLocal(InnerPacket.Ipv6Source(packet))) return DropReason.SpoofedSource;
        return peer < 0 ? DropReason.NoRoute : DropReason.None;
    }

    /// <summary>One hop less. The last hop is not taken: the packet stays as it was, to be quoted in the answer.</summary>
    private static DropReason DecrementTtl(byte* packet)
    {
        if (Ipv4.Ttl(packet) <= 1) return DropReason.Ttl;
        Ipv4.DecrementTtl(packet);
        return DropReason.None;
    }

    /// <summary>Counts a frame that goes nowhere, as the packets it would have become, and answers where a host expects it.</summary>
    private void DropFrame(DropReason reason, byte* packet, int available, int length, int peer, PeerTable peers)
    {
        int packets = length > 0 && _frameVnet->gso_type != Libc.VIRTIO_NET_HDR_GSO_NONE
            && SegmentPlan.TryCreate(*_frameVnet, packet, length, out SegmentPlan plan) ? plan.Count : 1;
        _counters->Egress.Packets += packets;
        _counters->Egress.Bytes += available;
        _counters->Egress.Drop(reason, packets);
        // A packet that arrived with TTL 0 failed the checks (length is set but no peer was looked up) and is answered by silence.
        if (reason == DropReason.NoRoute) AnswerSender(IcmpErrorKind.NetUnreachable, packet, length, peer, peers);
        else if (reason == DropReason.Ttl && peer >= 0) AnswerSender(IcmpErrorKind.TimeExceeded, packet, length, peer, peers);
    }

    /// <summary>
    /// Writes an ICMP error to the TUN. Its source must not be an address of this host, or the kernel drops it as martian
    /// (fib_validate_source): an unreachable comes from the unreachable address itself, an expired hop from the base address
    /// of the peer's subnet, which is the peer's device and the hop the packet would have reached. Both are routed to this
    /// device, so strict reverse path filtering accepts them too.
    /// </summary>
    private void AnswerSender(IcmpErrorKind kind, byte* packet, int length, int peer, PeerTable peers)
    {
        if (!IcmpError.IsDue(packet, length) || !TakeIcmpBudget()) return;
        int size;
        if (Ipv4.Version(packet) == 6)
            size = IcmpError.WriteIpv6(kind, packet, length, InnerPacket.Ipv6Destination(packet), _icmp);
        else
            size = IcmpError.WriteIpv4(kind, packet, length, peer < 0 ? Ipv4.Destination(packet) : BaseAddress(peers.Peers[peer]), _icmp);
        if (WritePacket(_icmp, size) > 0) _counters->IcmpSent++;
    }

    private static uint BaseAddress(Peer peer)
    {
        Span<byte> address = stackalloc byte[sizeof(uint)];
        peer.Subnet.BaseAddress.TryWriteBytes(address, out _);
        return BinaryPrimitives.ReadUInt32BigEndian(address);
    }

    private bool TakeIcmpBudget()
    {
        if (_icmpBudget.TryTake()) return true;
        _counters->IcmpSuppressed++;
        return false;
    }
}
