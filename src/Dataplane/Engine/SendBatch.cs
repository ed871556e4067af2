using System.Numerics;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Dataplane.Sockets;

namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// Collects the datagrams of one burst into runs per peer and source port and sends them with as few system calls as possible: one for each
/// source port in use. Order is kept per peer and source port; between them it is free. Datagrams are built in place: <see cref="Reserve"/> gives the bytes, the caller fills
/// them before the next call. Owned and used by one worker thread; memory is the worker's slab.
/// </summary>
internal sealed unsafe class SendBatch<TPort>
    where TPort : struct, IPacketPort
{
    /// <summary>Bytes of a run buffer: the largest UDP payload, rounded up.</summary>
    internal const int RunCapacity = 65536;

    /// <summary>Runs in flight: peers that can be served in one burst without an early flush.</summary>
    internal const int MaxRuns = 32;

    /// <summary>
    /// Each run starts this many bytes further into its page. The kernel copies with "rep movsb", which on AMD Zen 3 and 4 falls from 58 to 3.5 GB/s
    /// when the destination lies 1 to 15 bytes behind the source modulo 4096. Traffic of one frame size can hold that distance for one
    /// starting offset, but not for all of them.
    /// </summary>
    private const int RunStagger = 128;

    /// <summary>UDP_MAX_SEGMENTS of every kernel that has UDP_SEGMENT (128 only since 6.9).</summary>
    private const int MaxSegments = 64;

    /// <summary>Largest UDP payload over IPv4; IPv6 would allow 20 bytes more.</summary>
    private const int MaxPayload = 65507;

    /// <summary>Milliseconds to wait for a full socket before its datagrams are dropped, per flush.</summary>
    private const int FullSocketPatience = 10;

    private readonly TPort _port;
    private readonly int _destinationPort;
    private readonly bool _ipv6;
    private readonly int _overhead;
    private readonly SendRun* _runs;
    private readonly int* _keyOfRun;
    private readonly int* _runOfMessage;
    private readonly mmsghdr* _messages;
    private readonly iovec* _iovs;
    private readonly byte* _controls;
    private readonly byte* _addresses;
    private readonly mmsghdr* _singles;
    private readonly iovec* _singleIovs;
    private readonly WorkerCounters* _counters;
    private readonly int _worker;
    private int _count;
    private uint _sourcesInUse;
    private int _refusals;

    internal SendBatch(TPort port, int destinationPort, bool ipv6, bool segment, int overhead, int worker, WorkerCounters* counters, NativeSlab slab)
    {
        _port = port;
        _destinationPort = destinationPort;
        _ipv6 = ipv6;
        _overhead = overhead;
        _worker = worker;
        _counters = counters;
        UsesSegment = segment;
        _runs = slab.Take<SendRun>(MaxRuns);
        _keyOfRun = slab.Take<int>(MaxRuns);
        _runOfMessage = slab.Take<int>(MaxRuns);
        _messages = slab.Take<mmsghdr>(MaxRuns);
        _iovs = slab.Take<iovec>(MaxRuns);
        _controls = slab.Take<byte>(MaxRuns * Libc.CmsgSpaceOfOneWord);
        _addresses = slab.Take<byte>(MaxRuns * SocketAddress.MaxSize);
        _singles = slab.Take<mmsghdr>(MaxSegments);
        _singleIovs = slab.Take<iovec>(MaxSegments);
        for (int i = 0; i < MaxRuns; i++)
        {
            _runs[i].Buffer = slab.Take<byte>(RunCapacity + MaxRuns * RunStagger) + i * RunStagger;
            Prepare(i);
        }
    }

    /// <summary>Bytes of slab a batch takes.</summary>
    internal static nuint SlabSize => MaxRuns * (RunCapacity + MaxRuns * RunStagger + 512) + MaxSegments * 128 + 16 * NativeSlab.Alignment;

    /// <summary>Runs leave as one message each. Turns false for good when the kernel refuses it.</summary>
    internal bool UsesSegment { get; private set; }

    /// <summary>
    /// Gives the bytes for the next datagram to an endpoint, or null when the batch must be flushed first.
    /// </summary>
    /// <param name="peer">The receiver, of the peer table that the flush will get.</param>
    /// <param name="source">The source port, from 0 to <see cref="EngineOptions.MaxSourcePorts"/> - 1: always the same for one flow.</param>
    /// <param name="length">Bytes of the datagram, 1 to 65507.</param>
    /// <param name="originated">Made by the engine: travels alone and is counted apart.</param>
    internal byte* Reserve(in PeerEntry peer, int source, int length, bool originated = false)
    {
        int endpoint = peer.EndpointIndex;
        int key = endpoint * EngineOptions.MaxSourcePorts + source;
        int index = originated ? -1 : new ReadOnlySpan<int>(_keyOfRun, _count).LastIndexOf(key);
        if (index >= 0)
        {
            SendRun* open = &_runs[index];
            if (!open->Closed && length <= open->SegmentSize && open->Length + length <= MaxPayload)
            {
                byte* place = open->Buffer + open->Length;
                open->Length += length;
                open->Segments++;
                open->Closed = length < open->SegmentSize || open->Segments == MaxSegments;
                return place;
            }
        }
        if (_count == MaxRuns) return null;
        SendRun* run = &_runs[_count];
        byte* address = _addresses + _count * SocketAddress.MaxSize;
        _ = _ipv6 ? SocketAddress.WriteIpv6(address, peer.Ipv6, _destinationPort) : SocketAddress.WriteIpv4(address, peer.Ipv4, _destinationPort);
        _keyOfRun[_count++] = originated ? -1 : key;
        _sourcesInUse |= 1u << source;
        run->Length = length;
        run->SegmentSize = length;
        run->Segments = 1;
        run->Endpoint = endpoint;
        run->Source = source;
        run->Closed = originated;
        run->Originated = originated;
        return run->Buffer;
    }

    /// <summary>Sends everything collected. Every datagram is counted as forwarded or under the reason the kernel gave.</summary>
    /// <param name="peers">The snapshot whose endpoint numbers <see cref="Reserve"/> was given.</param>
    internal void Flush(PeerTable peers)
    {
        if (_count == 0) return;
        // One for all sources: however many sockets are full, the other direction waits no longer.
        int patience = FullSocketPatience;
        for (; _sourcesInUse != 0; _sourcesInUse &= _sourcesInUse - 1)
        {
            int source = BitOperations.TrailingZeroCount(_sourcesInUse);
            SendMessages(source, FillMessages(source), peers, ref patience);
        }
        _count = 0;
    }

    private void SendMessages(int source, int count, PeerTable peers, ref int patience)
    {
        for (int next = 0; next < count;)
        {
            if (!UsesSegment && RunOf(next)->Segments > 1)
            {
                SendSingly(next++, peers, ref patience);
                continue;
            }
            int sent = _port.Send(source, _messages + next, SendableTogether(next, count));
            if (sent > 0)
            {
                for (int i = next; i < next + sent; i++)
                {
                    CountSent(*RunOf(i), peers);
                    if (RunOf(i)->Segments > 1) _refusals = 0;
                }
                next += sent;
                continue;
            }
            next = AnswerError(next, count, -sent, peers, ref patience);
        }
    }

    private SendRun* RunOf(int message) => &_runs[_runOfMessage[message]];

    /// <summary>With UDP_SEGMENT all that is left; without it the leading runs of one datagram.</summary>
    private int SendableTogether(int first, int count)
    {
        if (UsesSegment) return count - first;
        int end = first;
        while (end < count && RunOf(end)->Segments == 1) end++;
        return end - first;
    }

    /// <summary>Handles the error of the first unsent message of a source; returns the message to go on with.</summary>
    private int AnswerError(int message, int count, int errno, PeerTable peers, ref int patience)
    {
        SendRun* run = RunOf(message);
        switch (errno)
        {
            case Errno.EAGAIN or Errno.EINTR when patience > 0:
                patience--;
                _port.WaitWritable(run->Source, 1);
                return message;
            case Errno.EAGAIN or Errno.EINTR or Errno.ENOBUFS or Errno.ENOMEM:
                // Trying on would spin against a full queue; the tail goes too, so that nothing overtakes. Other sources have flows of their own.
                for (int i = message; i < count; i++) CountDropped(*RunOf(i), DropReason.SendNoBuffers, peers);
                return count;
            case Errno.ECONNREFUSED when patience > 0:
                // The pending error of an earlier datagram, possibly to another peer; it is cleared by having been reported.
                patience--;
                return message;
            case Errno.EIO or Errno.EINVAL or Errno.EMSGSIZE or Errno.EOPNOTSUPP when run->Segments > 1:
                _counters->GsoFallbacks++;
                if (SendSingly(message, peers, ref patience)) NoteRefusal(errno);
                return message + 1;
            default:
                CountDropped(*run, Classify(errno), peers);
                return message + 1;
        }
    }

    /// <summary>
    /// The kernel took the datagrams one by one but not as a run. EIO says the egress path cannot segment at all (udp_send_skb:
    /// no checksum offload, xfrm): off for good. EINVAL is also answered to a single odd packet, so it takes a row of them.
    /// EMSGSIZE is about one peer's route only.
    /// </summary>
    private void NoteRefusal(int errno)
    {
        _refusals = errno == Errno.EINVAL ? _refusals + 1 : 0;
        if (errno is Errno.EIO or Errno.EOPNOTSUPP || _refusals >= 8) UsesSegment = false;
    }

    /// <summary>Sends the datagrams of a run one by one. False when the kernel took none: then it was not the run it refused.</summary>
    private bool SendSingly(int message, PeerTable peers, ref int patience)
    {
        SendRun* run = RunOf(message);
        int count = run->Segments;
        bool any = false;
        for (int i = 0; i < count; i++)
        {
            int offset = i * run->SegmentSize;
            _singleIovs[i] = new() { iov_base = run->Buffer + offset, iov_len = (nuint)Math.Min(run->SegmentSize, run->Length - offset) };
            _singles[i].msg_hdr = _messages[message].msg_hdr;
            _singles[i].msg_hdr.msg_iov = &_singleIovs[i];
            _singles[i].msg_hdr.msg_control = null;
            _singles[i].msg_hdr.msg_controllen = 0;
        }
        for (int next = 0; next < count;)
        {
            int sent = _port.Send(run->Source, _singles + next, count - next);
            if (sent > 0)
            {
                for (int i = next; i < next + sent; i++) CountSent(Single(run, i), peers);
                next += sent;
                any = true;
                continue;
            }
            switch (-sent)
            {
                case Errno.EAGAIN or Errno.EINTR when patience > 0:
                    patience--;
                    _port.WaitWritable(run->Source, 1);
                    break;
                case Errno.ECONNREFUSED when patience > 0:
                    patience--;
                    break;
                case Errno.EAGAIN or Errno.EINTR or Errno.ENOBUFS or Errno.ENOMEM:
                    for (; next < count; next++) CountDropped(Single(run, next), DropReason.SendNoBuffers, peers);
                    break;
                default:
                    CountDropped(Single(run, next++), Classify(-sent), peers);
                    break;
            }
        }
        return any;
    }

    private SendRun Single(SendRun* run, int index) => *run with { Segments = 1, Length = (int)_singleIovs[index].iov_len };

    private static DropReason Classify(int errno) => errno switch
    {
        Errno.ENETUNREACH or Errno.EHOSTUNREACH or Errno.ENETDOWN or Errno.EADDRNOTAVAIL => DropReason.SendUnreachable,
        Errno.EPERM or Errno.EACCES => DropReason.SendDenied,
        Errno.EMSGSIZE => DropReason.SendTooBig,
        _ => DropReason.SendFailed,
    };

    private void CountSent(in SendRun run, PeerTable peers)
    {
        if (run.Originated)
        {
            _counters->IcmpSent++;
            return;
        }
        long inner = run.Length - (long)run.Segments * _overhead;
        ref PathCounters egress = ref _counters->Egress;
        egress.Forwarded += run.Segments;
        egress.ForwardedBytes += inner;
        egress.Writes++;
        ref PeerCounters peer = ref peers.Counters(_worker, run.Endpoint);
        peer.EgressPackets += run.Segments;
        peer.EgressBytes += inner;
    }

    private void CountDropped(in SendRun run, DropReason reason, PeerTable peers)
    {
        if (run.Originated) return;
        _counters->Egress.Drop(reason, run.Segments);
        peers.Counters(_worker, run.Endpoint).SendErrors += run.Segments;
    }

    /// <summary>Lines the runs of a source up as messages, in their order. Returns how many.</summary>
    private int FillMessages(int source)
    {
        int count = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_runs[i].Source != source) continue;
            _runOfMessage[count] = i;
            FillMessage(&_messages[count++].msg_hdr, i);
        }
        return count;
    }

    private void FillMessage(msghdr* header, int index)
    {
        SendRun* run = &_runs[index];
        _iovs[index].iov_len = (nuint)run->Length;
        byte* control = _controls + index * Libc.CmsgSpaceOfOneWord;
        *(ushort*)(control + Libc.CmsgHeaderSize) = (ushort)run->SegmentSize;
        // Some kernels refuse a segment size on a message of one datagram, so it goes without.
        bool segmented = run->Segments > 1;
        header->msg_name = _addresses + index * SocketAddress.MaxSize;
        header->msg_iov = &_iovs[index];
        header->msg_control = segmented ? control : null;
        header->msg_controllen = segmented ? (nuint)Libc.CmsgSpaceOfOneWord : 0;
    }

    /// <summary>Fills what never changes: that a message has one iovec and an address of the family, where a run's bytes are, a control message with UDP_SEGMENT.</summary>
    private void Prepare(int index)
    {
        _iovs[index].iov_base = _runs[index].Buffer;
        msghdr* header = &_messages[index].msg_hdr;
        header->msg_iovlen = 1;
        header->msg_namelen = (uint)(_ipv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
        var control = (cmsghdr*)(_controls + index * Libc.CmsgSpaceOfOneWord);
        control->cmsg_len = Libc.CmsgHeaderSize + sizeof(ushort);
        control->cmsg_level = Libc.SOL_UDP;
        control->cmsg_type = Libc.UDP_SEGMENT;
    }
}
