using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Packets;

/// <summary>
/// Merges the inner packets of one receive burst into super-packets for the TUN: consecutive TCP segments of a flow, and equal
/// UDP datagrams. Payload is never copied, an item is a list of ranges to gather. A flow is never reordered: a packet joins only
/// the newest item of its flow, and only at the end. Cutting an item into segments again yields its packets byte by byte.
/// </summary>
/// <remarks>
/// One burst: <see cref="Add"/> each packet while not <see cref="IsFull"/>, then <see cref="Gather"/> each item in order, then
/// <see cref="Reset"/>. Packets are borrowed until <see cref="Reset"/>, and the headers of those that lead an item are changed in
/// place. Belongs to one thread. Everything is allocated by the constructor; iovecs point into memory of this object, which
/// must outlive them.
/// </remarks>
internal sealed unsafe partial class Coalescer
{
    /// <summary>Most segments of one item. Bounds the iovec list; with an MTU above 560, 65535 bytes come first.</summary>
    internal const int MaxTcpPackets = 128;

    /// <summary>UDP_MAX_SEGMENTS of kernels before 6.9: a longer USO frame is refused with EINVAL.</summary>
    internal const int MaxUdpPackets = 64;

    /// <summary>Iovecs that <see cref="Gather"/> may need: virtio-net header, first packet, further payloads.</summary>
    internal const int MaxIovecs = 1 + MaxTcpPackets;

    /// <summary>A packet that gave its payload to an item; <see cref="Next"/> chains the ones of the same item.</summary>
    private struct Slice
    {
        internal byte* Payload;
        internal int Length;
        internal int Next;
    }

    /// <summary>One frame to be: a single packet, or the packet that leads a merged one.</summary>
    private struct Item
    {
        internal byte* Packet;
        internal int Length;
        internal int TotalLength;
        internal int PacketBytes;
        internal int Packets;
        internal int SegmentSize;
        internal int FirstSlice;
        internal int LastSlice;
        internal uint NextSequence;
        internal ushort NextIdentification;

        // 0: neither TCP nor UDP, or not known where it starts.
        internal byte L4Offset;
        internal byte HeaderLength;
        internal byte Protocol;
        internal bool IsOpen;
        internal bool IsVerified;
        internal bool IsSuperPacket;
        internal bool Push;
    }

    private readonly Item[] _items;
    private readonly Slice[] _slices;
    private readonly virtio_net_hdr[] _headers;
    private readonly bool _mergeTcp;
    private readonly bool _mergeUdp;
    private int _packets;
    private int _itemCount;
    private int _sliceCount;

    /// <param name="capacity">Packets of one burst, 1 to 65536.</param>
    /// <param name="mergeTcp">Merge TCP segments.</param>
    /// <param name="mergeUdp">
    /// Merge UDP datagrams. Wants Linux 6.2 (USO), and 6.8.5 where pods tunnel themselves: older kernels drop USO frames that
    /// enter a VXLAN or Geneve device.
    /// </param>
    internal Coalescer(int capacity, bool mergeTcp, bool mergeUdp)
        // Not RandomNumberGenerator: that one loads OpenSSL. A Guid's bits come from the kernel's generator as well.
        : this(capacity, mergeTcp, mergeUdp, Guid.NewGuid(), 2 * capacity)
    {
    }

    /// <summary>With a chosen hash seed and size of the flow table, so that tests can repeat a run and make the table too small.</summary>
    internal Coalescer(int capacity, bool mergeTcp, bool mergeUdp, Guid seed, int minFlowSlots)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 65536);
        Capacity = capacity;
        _mergeTcp = mergeTcp;
        _mergeUdp = mergeUdp;
        _items = new Item[capacity];
        _slices = new Slice[capacity];
        // Pinned: the kernel reads the headers through iovecs.
        _headers = GC.AllocateArray<virtio_net_hdr>(capacity, pinned: true);
        _flowSlots = new long[BitOperations.RoundUpToPowerOf2((uint)Math.Max(minFlowSlots, MaxProbes))];
        _barriers = new long[BarrierSlots];
        (_seed0, _seed1) = FlowHash.Halves(seed);
    }

    /// <summary>Packets that one burst can hold.</summary>
    internal int Capacity { get; }

    /// <summary>True if another packet has no room before <see cref="Reset"/>.</summary>
    internal bool IsFull => _packets == Capacity;

    /// <summary>Frames that the burst has become so far.</summary>
    internal int ItemCount => _itemCount;

    /// <summary>Bytes of a frame as it will be written, without the virtio-net header.</summary>
    internal int LengthOf(int item) => At(item).TotalLength;

    /// <summary>Sum of the lengths that the packets in this frame were added with.</summary>
    internal long BytesOf(int item) => At(item).PacketBytes;

    /// <summary>Adds one packet.</summary>
    /// <param name="packet">A validated IPv4 or IPv6 packet. Borrowed until <see cref="Reset"/>.</param>
    /// <param name="length">Its bytes, equal to the IP header's length field.</param>
    internal void Add(byte* packet, int length)
    {
        if (IsFull) ThrowFull();
        _packets++;
        Kind kind = Classify(packet, length, out Segment segment);
        if (kind == Kind.Candidate) AddCandidate(in segment);
        else AddClosed(kind, in segment);
    }

    /// <summary>Forgets the burst and gives its packets back.</summary>
    internal void Reset()
    {
        _firstSerial += _itemCount;
        _packets = _itemCount = _sliceCount = 0;
    }

    private ref Item AddClosed(Kind kind, in Segment segment)
    {
        if (kind == Kind.WithoutPorts) RaiseBarrier(in segment);
        else if (kind != Kind.Alone) CloseFlow(in segment);
        return ref NewItem(in segment);
    }

    private void AddCandidate(in Segment segment)
    {
        int slot = FindFlow(in segment, out int newest);
        Verdict verdict = newest < 0 ? Verdict.Apart : TryAppend(newest, in segment);
        if (verdict == Verdict.Joined) return;

        if (slot >= 0) _flowSlots[slot] = _firstSerial + _itemCount;
        ref Item item = ref NewItem(in segment);
        item.IsOpen = !segment.Push && verdict != Verdict.ApartAndBad;
        item.IsVerified = verdict == Verdict.ApartButGood;
        item.SegmentSize = segment.Length - segment.HeaderLength;
        item.NextSequence = segment.Protocol == IpProtocol.Tcp
            ? Tcp.Sequence(segment.Packet + segment.L4Offset) + (uint)item.SegmentSize : 0;
        item.NextIdentification = segment.IsIpv4 ? (ushort)(Ipv4.Identification(segment.Packet) + 1) : (ushort)0;
    }

    private ref Item NewItem(in Segment segment)
    {
        ref Item item = ref _items[_itemCount++];
        item = default;
        item.Packet = segment.Packet;
        item.Length = item.TotalLength = item.PacketBytes = segment.Length;
        item.Packets = 1;
        item.FirstSlice = item.LastSlice = -1;
        item.L4Offset = segment.L4Offset;
        item.HeaderLength = segment.HeaderLength;
        item.Protocol = segment.Protocol;
        return ref item;
    }

    private ref Item At(int item)
    {
        if ((uint)item >= (uint)_itemCount) ThrowNoItem();
        return ref _items[item];
    }

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowFull() => throw new InvalidOperationException("the burst is full; test IsFull before adding");

    [DoesNotReturn, MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowNoItem() => throw new ArgumentOutOfRangeException("item", "an item is between 0 and ItemCount - 1");
}
