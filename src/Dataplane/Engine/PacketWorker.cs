using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Memory;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// The packet loop: bursts from the TUN to the socket (egress) and back (ingress), on one thread. Wire format and host are
/// struct type parameters, so the compiler makes one straight-line loop for each pair.
/// </summary>
internal sealed unsafe partial class PacketWorker<TPort, TEncapsulation> : Worker
    where TPort : struct, IPacketPort
    where TEncapsulation : struct, IEncapsulation
{
    /// <summary>Error messages originated per worker and second; with the burst of the same size at most twice that.</summary>
    private const int IcmpErrorsPerSecond = 50;

    /// <summary>Bytes of the average frame or message below which it is small.</summary>
    private const int SmallFrame = 4096;

    private readonly TPort _port;
    private readonly TEncapsulation _encapsulation;
    private readonly NativeSlab _slab;
    private readonly WorkerCounters* _counters;
    private readonly SendBatch<TPort> _send;
    private readonly ReceiveBatch<TPort> _receive;
    private readonly Coalescer _coalescer;
    private readonly WorkerOptions _options;
    private readonly FlowHash _flows;
    private Urgency _urgency = Urgency.Prompt;
    private LoadMeter _load;

    /// <summary>
    /// What crossed the TUN as super-packets of TCP. Only such bulk makes the worker busy: it adapts to what gets through, where datagrams at a fixed rate
    /// are lost when the worker in real time keeps their receiver from the core (highest rate without loss 0.45 instead of 1.6 times the kernel's).
    /// </summary>
    private long _bulkBytes;

    private TokenBucket _icmpBudget = new(IcmpErrorsPerSecond);

    internal PacketWorker(int index, EventFd control, PeerTable peers, TPort port, TEncapsulation encapsulation, WorkerOptions options)
        : base(index, control, peers)
    {
        _port = port;
        _encapsulation = encapsulation;
        _options = options;
        _flows = new(options.FlowSeed);
        _slab = new NativeSlab(SendBatch<TPort>.SlabSize + ReceiveBatch<TPort>.SlabSize + FrameOffset + EgressSlabSize + IngressSlabSize + 8192);
        _counters = _slab.Take<WorkerCounters>(1);
        _frame = _slab.Take<byte>(FrameCapacity + FrameOffset) + FrameOffset;
        _frameIovs = _slab.Take<iovec>(2);
        _frameVnet = _slab.Take<virtio_net_hdr>(1);
        _gather = _slab.Take<iovec>(Coalescer.MaxIovecs);
        _segment = _slab.Take<byte>(FrameCapacity);
        _icmp = _slab.Take<byte>(IcmpError.MaxSize);
        _send = new(port, options.DestinationPort, options.UnderlayIsIpv6, options.UdpSegment, encapsulation.Overhead, index, _counters, _slab);
        _receive = new(port, options.UnderlayIsIpv6, _slab);
        _coalescer = new(ReceiveBatch<TPort>.MaxPackets, options.CoalesceTcp, options.CoalesceUdp);
        PrepareEgress();
    }

    internal override bool UsesUdpSegment => _send.UsesSegment;

    internal override long AllocatedBytes => _counters->AllocatedBytes;

    internal override WorkerStatus ReadStatus() => _counters->Read(Index);

    protected override void Loop()
    {
        // What the thread's start allocated is not the loop's.
        long allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        UsesRealTime = _options.RealTime && _port.TrySetUrgency(Urgency.RealTime) && _port.TrySetUrgency(Urgency.Prompt);
        while (!IsStopping)
        {
            long bytes = HandledBytes, bulk = _bulkBytes;
            int work = Burst();
            bytes = HandledBytes - bytes;
            if (work == 0)
            {
                _counters->AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
                _counters->Wakeups++;
                _port.Wait(IsTunAttached, -1);
                continue;
            }
            bool heavy = work >= _options.HeavyFrames || bytes >= _options.HeavyBytes;
            _load.Note(_bulkBytes - bulk >= _options.HeavyBytes);
            Urgency urgency = !(_load.IsBusy && UsesRealTime) ? Urgency.Prompt : AvoidsRealTime ? Urgency.Fair : Urgency.RealTime;
            if (urgency != _urgency)
            {
                _urgency = urgency;
                _port.TrySetUrgency(urgency);
            }
            if (heavy && IsPauseDue(work, bytes))
            {
                _counters->Pauses++;
                _port.Pause(_options.PauseMicroseconds);
            }
        }
        _counters->AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - allocatedBefore;
    }

    private long HandledBytes => _counters->Egress.Bytes + _counters->Ingress.Bytes;

    /// <summary>
    /// A pause after a heavy burst lets the queues grow: the next burst is larger, and while nobody waits in poll, senders have nobody
    /// to wake (a wake-up costs some 19 us where these figures are from). It only pays if the worker has the core at once when the time is
    /// over, so that ordinary scheduling pauses after small packets alone. See docs/performance.md.
    /// </summary>
    private bool IsPauseDue(int frames, long bytes) =>
        _options.PauseMicroseconds > 0 && (_urgency == Urgency.RealTime || bytes < frames * (long)SmallFrame);

    /// <summary>One turn of both directions with one snapshot of the peers. Returns the frames and messages handled.</summary>
    internal int Burst()
    {
        PeerTable peers = Peers;
        int work = IsTunAttached ? Egress(peers) : 0;
        return work + Ingress(peers);
    }

    public override void Dispose()
    {
        base.Dispose();
        _slab.Dispose();
    }
}
