using System.Buffers.Binary;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>One frame as the kernel would get it.</summary>
internal sealed record Frame(virtio_net_hdr Header, byte[] Bytes, int Packets, long OriginalBytes)
{
    internal bool IsSuperPacket => Header.gso_type != Libc.VIRTIO_NET_HDR_GSO_NONE;

    internal bool IsPartial => Header.flags == Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM && !IsSuperPacket;

    /// <summary>The packets a receiver would see, segmented and finished by the slow twins.</summary>
    internal List<byte[]> Expand() =>
        IsSuperPacket ? NaiveSegmenter.Segment(Bytes, Header.csum_start, Header.gso_size)
        : IsPartial ? NaiveSegmenter.Segment(Bytes, Header.csum_start, 65535)
        : [Bytes];
}

/// <summary>Feeds packets to a coalescer, each from memory whose end may not be crossed, and checks every frame that comes out.</summary>
internal sealed unsafe class CoalescerHarness : IDisposable
{
    private readonly List<GuardedMemory> _slots = [];
    private readonly iovec[] _iov = new iovec[Coalescer.MaxIovecs + 1];
    private readonly int _slotSize;
    private int _used;

    internal CoalescerHarness(int capacity = 256, bool mergeTcp = true, bool mergeUdp = true, int flowSlots = 512, int slotSize = 65575)
    {
        Coalescer = new(capacity, mergeTcp, mergeUdp, new Guid("9d1a9d3c-54f0-4f6e-8c7b-2f8a3f0d6e11"), flowSlots);
        _slotSize = slotSize;
    }

    internal Coalescer Coalescer { get; }

    /// <summary>One burst: added, gathered, reset.</summary>
    internal List<Frame> Run(params ReadOnlySpan<byte[]> packets)
    {
        foreach (byte[] packet in packets) Add(packet);
        return Finish();
    }

    internal void Add(byte[] packet) => Coalescer.Add(Place(packet), packet.Length);

    internal bool AddSuperPacket(byte[] packet, int gsoSize, int segments) =>
        Coalescer.AddSuperPacket(Place(packet), packet.Length, gsoSize, segments);

    /// <summary>Adds a packet as the worker does: uncut where <see cref="Coalescer.FitSegment"/> says so. Returns what that said.</summary>
    internal int AddFitted(byte[] packet, int mtu)
    {
        byte* place = Place(packet);
        int size = Dataplane.Packets.Coalescer.FitSegment(place, packet.Length, mtu);
        if (size == 0)
        {
            Coalescer.Add(place, packet.Length);
            return 0;
        }
        int headers = packet[0] >> 4 == 4 ? (packet[0] & 15) * 4 : 40;
        headers += (packet[headers + 12] >> 4) * 4;
        Assert.True(Coalescer.AddSuperPacket(place, packet.Length, size, (packet.Length - headers + size - 1) / size));
        return size;
    }

    internal int FitSegment(byte[] packet, int mtu) => Dataplane.Packets.Coalescer.FitSegment(Place(packet), packet.Length, mtu);

    internal List<Frame> Finish() => Finish(verify: true);

    /// <summary>The same for packets that break the rules of the input: only the memory they are in is watched.</summary>
    internal List<Frame> FinishUnchecked() => Finish(verify: false);

    private List<Frame> Finish(bool verify)
    {
        List<Frame> frames = [];
        for (int item = 0; item < Coalescer.ItemCount; item++)
        {
            Frame frame = Gather(item);
            // A write that failed is gathered once more.
            Frame again = Gather(item);
            Assert.Equal(frame.Header, again.Header);
            Assert.Equal(frame.Bytes, again.Bytes);
            if (verify) AssertKernelTakes(frame);
            frames.Add(frame);
        }
        Coalescer.Reset();
        _used = 0;
        Assert.Equal(0, Coalescer.ItemCount);
        return frames;
    }

    private byte* Place(byte[] packet)
    {
        if (_used == _slots.Count) _slots.Add(new GuardedMemory(_slotSize));
        return _slots[_used++].PlaceAtEnd(packet);
    }

    private Frame Gather(int item)
    {
        nuint canary = 0xC0FFEE;
        int length = Coalescer.LengthOf(item);
        fixed (iovec* iov = _iov)
        {
            iov[Coalescer.MaxIovecs].iov_len = canary;
            int count = Coalescer.Gather(item, iov, Coalescer.MaxIovecs, out int packets);
            Assert.InRange(count, 2, Coalescer.MaxIovecs);
            Assert.Equal(canary, iov[Coalescer.MaxIovecs].iov_len);
            Assert.Equal(10u, iov[0].iov_len);
            List<byte> bytes = [];
            for (int i = 1; i < count; i++) bytes.AddRange(new ReadOnlySpan<byte>(iov[i].iov_base, (int)iov[i].iov_len));
            Assert.Equal(length, bytes.Count);
            return new(*(virtio_net_hdr*)iov[0].iov_base, [.. bytes], packets, Coalescer.BytesOf(item));
        }
    }

    /// <summary>What tun_get_user, virtio_net_hdr_to_skb and the IP receive path check, and what a right super-packet has besides.</summary>
    private static void AssertKernelTakes(Frame frame)
    {
        virtio_net_hdr header = frame.Header;
        byte[] bytes = frame.Bytes;
        if (header.flags == 0)
        {
            Assert.Equal(default, header);
            return;
        }
        Assert.Equal(Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM, header.flags);
        bool ipv4 = bytes[0] >> 4 == 4;
        byte protocol = ipv4 ? bytes[9] : bytes[6];
        bool tcp = protocol == IpProtocol.Tcp;
        int ipHeader = ipv4 ? (bytes[0] & 15) * 4 : 40;
        Assert.Equal(ipHeader, header.csum_start);
        Assert.Equal(tcp ? 16 : 6, header.csum_offset);
        Assert.Equal(bytes.Length, ipv4
            ? BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2)) : 40 + BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(4)));
        if (ipv4) Assert.Equal(0xFFFF, SlowChecksum.Sum(bytes.AsSpan(0, ipHeader)));
        Assert.Equal(SlowChecksum.PseudoHeader(bytes, protocol, bytes.Length - ipHeader),
            BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(header.csum_start + header.csum_offset)));
        if (!frame.IsSuperPacket) return;

        int expectedHeader = ipHeader + (tcp ? (bytes[ipHeader + 12] >> 4) * 4 : 8);
        int expectedType = !tcp ? Libc.VIRTIO_NET_HDR_GSO_UDP_L4 : ipv4 ? Libc.VIRTIO_NET_HDR_GSO_TCPV4 : Libc.VIRTIO_NET_HDR_GSO_TCPV6;
        if (tcp && (bytes[ipHeader + 13] & Tcp.Cwr) != 0) expectedType |= Libc.VIRTIO_NET_HDR_GSO_ECN;
        Assert.Equal(expectedType, header.gso_type);
        Assert.Equal(expectedHeader, header.hdr_len);
        Assert.InRange(header.gso_size, 1, bytes.Length - expectedHeader - 1);
        if (!tcp) Assert.Equal(bytes.Length - ipHeader, BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(ipHeader + 4)));
        Assert.Equal(frame.Packets, (bytes.Length - expectedHeader + header.gso_size - 1) / header.gso_size);
        // And our own reader agrees with the writer.
        fixed (byte* packet = bytes)
        {
            Assert.True(SegmentPlan.TryCreate(header, packet, bytes.Length, out SegmentPlan plan));
            Assert.Equal(frame.Packets, plan.Count);
        }
    }

    public void Dispose() => _slots.ForEach(slot => slot.Dispose());
}
