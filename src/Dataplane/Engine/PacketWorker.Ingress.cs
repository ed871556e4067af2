using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Engine;

/// <summary>Ingress: UDP to TUN.</summary>
internal sealed unsafe partial class PacketWorker<TPort, TEncapsulation>
{
    /// <summary>Receive calls of one burst: bounds the time until the other direction has its turn.</summary>
    private const int IngressBudget = 4;

    private readonly iovec* _gather;
    private readonly byte* _segment;

    private static nuint IngressSlabSize => Coalescer.MaxIovecs * 16 + FrameCapacity + 1024;

    /// <summary>Receives until the socket is empty or the budget is used, and writes what it became. Returns the messages received.</summary>
    private int Ingress(PeerTable peers)
    {
        int messages = 0;
        for (int call = 0; call < IngressBudget; call++)
        {
            // An error of the socket itself (ECONNREFUSED and the like) is cleared by being reported; there is no packet to count.
            int received = _receive.Fill();
            if (received <= 0) break;
            for (int i = 0; i < received; i++)
            {
                _receive.Read(i, out ReceivedMessage message);
                _counters->Ingress.Reads++;
                ForwardMessage(peers, message);
            }
            FlushToTun();
            messages += received;
        }
        // ICMP errors to peers wait in the send batch.
        _send.Flush(peers);
        return messages;
    }

    private void ForwardMessage(PeerTable peers, in ReceivedMessage message)
    {
        int segments = message.Length == 0 ? 1 : (message.Length + message.SegmentSize - 1) / message.SegmentSize;
        DropReason reason = CheckSender(peers, message, out int endpoint);
        if (reason != DropReason.None)
        {
            CountDrop(reason, segments, message.Length);
            return;
        }
        long before = _counters->Ingress.Packets, bytesBefore = _counters->Ingress.Bytes;
        // Also where the kernel told of a run: it means the same datagrams then.
        int superSegment = SegmentNote.Read(_options.NoteKey, message.Payload, message.Length);
        if (superSegment == 0 && segments > 1) superSegment = message.SegmentSize;
        if (superSegment > 0 && superSegment < message.Length && IsUnsegmented(message))
        {
            ForwardDatagram(peers, endpoint, message.Payload, message.Length, superSegment);
        }
        else
        {
            for (int offset = 0; offset < message.Length; offset += message.SegmentSize)
                ForwardDatagram(peers, endpoint, message.Payload + offset, Math.Min(message.SegmentSize, message.Length - offset), 0);
            if (message.Length == 0) CountDrop(DropReason.Short, 1, 0);
        }
        if (endpoint < 0) return;
        ref PeerCounters peer = ref peers.Counters(Index, endpoint);
        peer.IngressPackets += _counters->Ingress.Packets - before;
        peer.IngressBytes += _counters->Ingress.Bytes - bytesBefore;
    }

    /// <summary>Who sent it is checked before anything inside is looked at: a flood from strangers must stay cheap.</summary>
    private DropReason CheckSender(PeerTable peers, in ReceivedMessage message, out int endpoint)
    {
        endpoint = _options.UnderlayIsIpv6 ? peers.FindEndpoint(message.SourceIpv6) : peers.FindEndpoint(message.SourceIpv4);
        if (message.Truncated) return DropReason.TooBig;
        if (_options.SourceCheck == SourceCheck.Off) return DropReason.None;
        if (endpoint < 0) return DropReason.UnknownPeer;
        return _encapsulation.HasFixedSourcePort && _options.CheckSourcePort && message.SourcePort != _options.DestinationPort
            ? DropReason.WrongPort : DropReason.None;
    }

    /// <summary>
    /// A kernel VXLAN (or eBPF) sender on the same host hands its tunnel super-packet to this socket uncut: for UDP inside, the control
    /// message still gives the size of the segments it would have become, but there is one header and one long inner packet.
    /// </summary>
    private bool IsUnsegmented(in ReceivedMessage message)
    {
        int overhead = _encapsulation.Overhead;
        if (message.Length < overhead + Ipv6.HeaderLength) return false;
        byte* inner = message.Payload + overhead;
        int length = Ipv4.Version(inner) == 6 ? Ipv6.HeaderLength + Ipv6.PayloadLength(inner) : Ipv4.TotalLength(inner);
        // Exactly all of it: anything else is datagrams, and a lying length field must not glue strangers' datagrams together.
        return length == message.Length - overhead;
    }

    /// <summary>
    /// Checks one datagram and hands its packet to the coalescer. <paramref name="superSegment"/> is the payload bytes per segment of an uncut super-packet, 0
    /// for an ordinary one or where nobody told.
    /// </summary>
    private void ForwardDatagram(PeerTable peers, int endpoint, byte* datagram, int size, int superSegment)
    {
        int overhead = _encapsulation.Overhead;
        int length = 0;
        byte* packet = datagram + overhead;
        DropReason reason = _encapsulation.CheckHeader(new ReadOnlySpan<byte>(datagram, size), out int version);
        if (reason == DropReason.None)
        {
            reason = version == 6
                ? InnerPacket.CheckIpv6(packet, size - overhead, out length)
                : InnerPacket.CheckIpv4(packet, size - overhead, out length);
        }
        int mtu = DeviceMtu;
        if (superSegment == 0 && length > mtu) superSegment = Coalescer.FitSegment(packet, length, mtu);
        if (reason == DropReason.None)
            reason = version == 6 ? AdmitIpv6(peers, endpoint, packet) : AdmitIpv4(peers, endpoint, packet);
        if (reason == DropReason.None && _encapsulation.DecrementsTtl && version != 6)
        {
            reason = DecrementTtl(packet);
            if (reason == DropReason.Ttl) AnswerPeer(peers, packet, length);
        }
        int packets = superSegment > 0 ? SegmentsOf(packet, length, superSegment) : 1;
        if (reason != DropReason.None)
        {
            CountDrop(reason, packets, size);
            return;
        }
        if (length < size - overhead) _counters->Trimmed++;
        _counters->Ingress.Packets += packets;
        _counters->Ingress.Bytes += length;
        if (_coalescer.IsFull) FlushToTun();
        // With rx-gro-list the kernel cuts again what it merged: each piece has the note, and may be merged like any other.
        if (packets == 1) _coalescer.Add(packet, length);
        else if (!_coalescer.AddSuperPacket(packet, length, superSegment, packets)) _counters->Ingress.Drop(DropReason.BadLength, packets);
    }

    private DropReason AdmitIpv4(PeerTable peers, int endpoint, byte* packet)
    {
        uint source = Ipv4.Source(packet);
        if (peers.IsLocal(source)) return DropReason.Reflected;
        if (_options.SourceCheck == SourceCheck.Strict)
        {
            int peer = peers.Find(source);
            if (peer < 0 || peers.Entry(peer).EndpointIndex != endpoint) return DropReason.SpoofedSource;
        }
        return peers.IsLocal(Ipv4.Destination(packet)) ? DropReason.None : DropReason.NotForUs;
    }

    private DropReason AdmitIpv6(PeerTable peers, int endpoint, byte* packet)
    {
        UInt128 source = InnerPacket.Ipv6Source(packet);
        if (peers.IsLocal(source)) return DropReason.Reflected;
        if (_options.SourceCheck == SourceCheck.Strict)
        {
            int peer = peers.Find(source);
            if (peer < 0 || peers.Entry(peer).EndpointIndex != endpoint) return DropReason.SpoofedSource;
        }
        return peers.IsLocal(InnerPacket.Ipv6Destination(packet)) ? DropReason.None : DropReason.NotForUs;
    }

    /// <summary>How many packets an uncut super-packet stands for; 1 where it cannot be told. The IP header is valid.</summary>
    private static int SegmentsOf(byte* packet, int length, int segment)
    {
        bool ipv6 = Ipv4.Version(packet) == 6;
        int headers = ipv6 ? Ipv6.HeaderLength : Ipv4.HeaderLength(packet);
        byte protocol = ipv6 ? Ipv6.NextHeader(packet) : Ipv4.Protocol(packet);
        if (protocol == IpProtocol.Udp) headers += Udp.HeaderLength;
        else if (protocol == IpProtocol.Tcp && headers + Tcp.MinHeaderLength <= length) headers += Tcp.HeaderLength(packet + headers);
        int payload = length - headers;
        return payload <= segment ? 1 : (payload + segment - 1) / segment;
    }

    private void CountDrop(DropReason reason, int packets, int bytes)
    {
        _counters->Ingress.Packets += packets;
        _counters->Ingress.Bytes += bytes;
        _counters->Ingress.Drop(reason, packets);
    }

    private void FlushToTun()
    {
        for (int i = 0; i < _coalescer.ItemCount; i++)
        {
            int pieces = _coalescer.Gather(i, _gather, Coalescer.MaxIovecs, out int packets);
            WriteItem(pieces, packets, _coalescer.BytesOf(i));
        }
        _coalescer.Reset();
    }

    private void WriteItem(int pieces, int packets, long bytes)
    {
        var header = (virtio_net_hdr*)_gather[0].iov_base;
        nint written;
        if (_options.VnetHeader) written = _port.WriteTun(_gather, pieces);
        else if (header->flags == 0 && header->gso_type == Libc.VIRTIO_NET_HDR_GSO_NONE) written = _port.WriteTun(_gather + 1, pieces - 1);
        else written = -Errno.EINVAL;
        if (written > 0)
        {
            _counters->Ingress.Writes++;
            CountForwarded(packets, bytes);
            if (IsTcpSuperPacket(header->gso_type)) _bulkBytes += bytes;
        }
        else if (written == -Errno.EINVAL && (header->flags | header->gso_type) != 0)
        {
            WriteSegmented(pieces, packets);
        }
        else
        {
            _counters->Ingress.Drop(ClassifyTunError((int)-written), packets);
        }
    }

    /// <summary>
    /// The queue takes no super-packet (plain TUN), or this kernel refuses a valid one (6.6.44 and others did, see
    /// docs/hot-path.md): the packets go out one by one instead, complete.
    /// </summary>
    private void WriteSegmented(int pieces, int packets)
    {
        int length = 0;
        for (int i = 1; i < pieces; i++)
        {
            int size = (int)_gather[i].iov_len;
            Buffer.MemoryCopy(_gather[i].iov_base, _frame + length, FrameCapacity - length, size);
            length += size;
        }
        if (!SegmentPlan.TryCreate(*(virtio_net_hdr*)_gather[0].iov_base, _frame, length, out SegmentPlan plan) || plan.Count != packets)
        {
            _counters->Ingress.Drop(DropReason.TunRefused, packets);
            return;
        }
        for (int i = 0; i < plan.Count; i++)
        {
            plan.Write(i, _segment);
            nint written = WritePacket(_segment, plan.LengthOf(i));
            if (written > 0)
            {
                _counters->Ingress.Writes++;
                CountForwarded(1, plan.LengthOf(i));
            }
            else
            {
                _counters->Ingress.Drop(ClassifyTunError((int)-written), 1);
            }
        }
    }

    /// <summary>Writes one complete packet to the TUN, with an empty virtio-net header where the queue has one.</summary>
    private nint WritePacket(byte* packet, int length)
    {
        virtio_net_hdr none = default;
        iovec* iov = stackalloc iovec[2];
        iov[0] = new() { iov_base = &none, iov_len = (nuint)sizeof(virtio_net_hdr) };
        iov[1] = new() { iov_base = packet, iov_len = (nuint)length };
        int skip = _options.VnetHeader ? 0 : 1;
        return _port.WriteTun(iov + skip, 2 - skip);
    }

    private void CountForwarded(int packets, long bytes)
    {
        _counters->Ingress.Forwarded += packets;
        _counters->Ingress.ForwardedBytes += bytes;
    }

    private static DropReason ClassifyTunError(int errno) => errno switch
    {
        Errno.EIO => DropReason.TunDown,
        Errno.EBADFD or Errno.EBADF => DropReason.TunGone,
        Errno.EAGAIN or Errno.EINTR or Errno.ENOBUFS or Errno.ENOMEM => DropReason.TunFull,
        _ => DropReason.TunRefused,
    };

    /// <summary>
    /// The last hop was used up here: the sender learns it from this host's device address, through the tunnel. The answer
    /// travels through the checks of the peer: its source lies in our subnet, its destination in the peer's.
    /// </summary>
    private void AnswerPeer(PeerTable peers, byte* packet, int length)
    {
        if (Ipv4.Version(packet) != 4 || _options.DeviceAddress == 0 || !IcmpError.IsDue(packet, length)) return;
        int peer = peers.Find(Ipv4.Source(packet));
        if (peer < 0 || !TakeIcmpBudget()) return;
        int size = IcmpError.WriteIpv4(IcmpErrorKind.TimeExceeded, packet, length, _options.DeviceAddress, _icmp);
        byte* place = _send.Reserve(peers.Entry(peer), source: 0, _encapsulation.Overhead + size, originated: true);
        // A full batch only happens when the rate limit is far above one: this one answer is then not worth an extra flush.
        if (place == null) return;
        _encapsulation.WriteHeader(new Span<byte>(place, _encapsulation.Overhead), peers.Entry(peer).Mac, ipv6: false);
        Buffer.MemoryCopy(_icmp, place + _encapsulation.Overhead, size, size);
    }
}
