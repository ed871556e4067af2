using System.Buffers.Binary;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

public sealed unsafe class SegmentPlanTests : IDisposable
{
    private const byte Canary = 0x5A;
    private const int Room = 65575;

    private readonly GuardedMemory _frame = new(Room);
    private readonly GuardedMemory _wire = new(Room);

    public void Dispose()
    {
        _frame.Dispose();
        _wire.Dispose();
    }

    private static virtio_net_hdr Gso(PacketSpec spec, int size) => new()
    {
        flags = Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM,
        gso_type = (byte)((spec.Protocol == IpProtocol.Udp ? Libc.VIRTIO_NET_HDR_GSO_UDP_L4
            : spec.Version == 4 ? Libc.VIRTIO_NET_HDR_GSO_TCPV4 : Libc.VIRTIO_NET_HDR_GSO_TCPV6)
            | (spec.Protocol == IpProtocol.Tcp && (spec.Flags & Tcp.Cwr) != 0 ? Libc.VIRTIO_NET_HDR_GSO_ECN : 0)),
        hdr_len = (ushort)spec.HeaderLength,
        gso_size = (ushort)size,
        csum_start = (ushort)spec.IpHeaderLength,
        csum_offset = (ushort)(spec.ChecksumField - spec.IpHeaderLength),
    };

    private static byte[] Bytes(Random random, int length)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Plans the frame from guarded memory and writes every packet to the very end of guarded memory.</summary>
    private void AssertSegments(PacketSpec spec, in virtio_net_hdr vnet, byte[] super, List<byte[]> expected)
    {
        byte* packet = _frame.PlaceAtEnd(super);
        if (!SegmentPlan.TryCreate(vnet, packet, super.Length, out SegmentPlan plan)) Assert.Fail($"refused: {spec}");
        if (expected.Count != plan.Count) Assert.Fail($"{plan.Count} packets instead of {expected.Count}: {spec}");
        for (int i = plan.Count - 1; i >= 0; i--)
        {
            int length = plan.LengthOf(i);
            if (length != expected[i].Length) Assert.Fail($"packet {i} has {length} bytes instead of {expected[i].Length}: {spec}");
            byte* wire = _wire.Tail(length);
            *(wire - 1) = Canary;
            plan.Write(i, wire);
            if (*(wire - 1) != Canary) Assert.Fail($"packet {i}: the byte before was overwritten: {spec}");
            if (!expected[i].AsSpan().SequenceEqual(new Span<byte>(wire, length))) Assert.Fail($"packet {i} of {plan.Count} differs: {spec}");
        }
        Assert.True(super.AsSpan().SequenceEqual(new Span<byte>(packet, super.Length)), "the frame was changed");
    }

    private void AssertSegments(PacketSpec spec, int size) =>
        AssertSegments(spec, Gso(spec, size), spec.BuildPartial(), NaiveSegmenter.Segment(spec, size));

    private static PacketSpec RandomSpec(Random random)
    {
        int version = random.Next(2) == 0 ? 4 : 6;
        byte protocol = random.Next(3) == 0 ? IpProtocol.Udp : IpProtocol.Tcp;
        return new PacketSpec
        {
            Version = version,
            Protocol = protocol,
            SourceHost = (byte)random.Next(256),
            DestinationHost = (byte)random.Next(256),
            Tos = (byte)random.Next(256),
            Ttl = (byte)random.Next(1, 256),
            Id = (ushort)random.Next(65536),
            Fragment = (ushort)(random.Next(4) * 0x4000),
            FlowLabel = random.Next(1 << 20),
            IpOptions = random.Next(8) == 0 ? (version == 4 ? 4 * random.Next(1, 11) : 8 * random.Next(1, 5)) : 0,
            SourcePort = (ushort)random.Next(65536),
            DestinationPort = (ushort)random.Next(65536),
            Sequence = random.Next(4) == 0 ? uint.MaxValue - (uint)random.Next(3000) : (uint)random.NextInt64(1L << 32),
            Acknowledgment = (uint)random.NextInt64(1L << 32),
            Flags = (byte)random.Next(256),
            Reserved = (byte)random.Next(16),
            Window = (ushort)random.Next(65536),
            Urgent = (ushort)random.Next(65536),
            Options = protocol == IpProtocol.Tcp ? Bytes(random, 4 * random.Next(11)) : [],
        };
    }

    [Fact]
    public void Random_super_packets_are_cut_like_the_naive_segmenter_does()
    {
        Random random = new(20);
        for (int round = 0; round < 100_000; round++)
        {
            PacketSpec spec = RandomSpec(random);
            int max = (spec.Version == 4 ? 65535 : 65575) - spec.HeaderLength;
            int size, payload;
            if (round % 500 == 0) (size, payload) = (random.Next(500, 9000), random.Next(max + 1));
            else if (round % 2 == 0) (size, payload) = (random.Next(1, 60), random.Next(600));
            else (size, payload) = (random.Next(1, 1500), random.Next(1800));
            // Whole multiples and one byte on either side of them are where cutting goes wrong.
            if (random.Next(3) == 0) payload = Math.Clamp(payload / size * size + random.Next(-1, 2), 0, max);
            AssertSegments(spec with { Payload = Bytes(random, payload) }, size);
        }
    }

    [Theory]
    [InlineData(4, IpProtocol.Tcp)]
    [InlineData(6, IpProtocol.Tcp)]
    [InlineData(4, IpProtocol.Udp)]
    [InlineData(6, IpProtocol.Udp)]
    public void The_smallest_and_the_largest_are_cut_right(int version, byte protocol)
    {
        Random random = new(21);
        PacketSpec spec = new() { Version = version, Protocol = protocol, Flags = Tcp.Ack | Tcp.Psh | Tcp.Fin | Tcp.Cwr, Id = 0xFFF0 };
        int max = (version == 4 ? 65535 : 65575) - spec.HeaderLength;
        foreach (int payload in (int[])[0, 1, 2, 3, 1447, 1448, 1449, max - 1, max])
        {
            foreach (int size in (int[])[1, 2, 1448, max, 65535])
            {
                if (size > 2 || payload <= 3) AssertSegments(spec with { Payload = Bytes(random, payload) }, size);
            }
        }
        // One byte each: as many segments as a packet can have.
        AssertSegments(spec with { Payload = Bytes(random, max) }, 1);
    }

    [Fact]
    public void Fin_and_psh_stay_on_the_last_packet_and_cwr_on_the_first()
    {
        PacketSpec spec = new() { Flags = Tcp.Ack | Tcp.Psh | Tcp.Fin | Tcp.Cwr | Tcp.Ece, Payload = new byte[250] };
        byte* packet = _frame.PlaceAtEnd(spec.BuildPartial());
        Assert.True(SegmentPlan.TryCreate(Gso(spec, 100), packet, 290, out SegmentPlan plan));
        byte[] flags = new byte[plan.Count];
        for (int i = 0; i < plan.Count; i++)
        {
            plan.Write(i, _wire.Start);
            flags[i] = _wire.Start[33];
        }
        Assert.Equal(
            [Tcp.Ack | Tcp.Cwr | Tcp.Ece, Tcp.Ack | Tcp.Ece, Tcp.Ack | Tcp.Psh | Tcp.Fin | Tcp.Ece],
            flags.Select(f => (int)f));
    }

    [Fact]
    public void The_header_length_of_the_frame_is_not_believed()
    {
        PacketSpec spec = new() { Payload = Bytes(new Random(22), 3000), Options = new byte[12] };
        List<byte[]> expected = NaiveSegmenter.Segment(spec, 1000);
        foreach (ushort hint in (ushort[])[0, 1, 54, 1052, 3052])
        {
            virtio_net_hdr vnet = Gso(spec, 1000);
            vnet.hdr_len = hint;
            AssertSegments(spec, vnet, spec.BuildPartial(), expected);
        }
    }

    [Fact]
    public void Behind_a_routing_header_the_checksum_is_for_the_final_destination()
    {
        // A packet on its way: fd00::2 in the IP header is a waypoint, the pseudo-header has the last address of the route.
        const int L4 = 40 + 24;
        byte[] final = [0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
        byte[] plain = new PacketSpec { Version = 6, Payload = Bytes(new Random(23), 2500) }.BuildPartial();
        byte[] super = [.. plain[..40], 6, 2, 0, 1, 0, 0, 0, 0, .. final, .. plain[40..]];
        super[6] = IpProtocol.Routing;
        BinaryPrimitives.WriteUInt16BigEndian(super.AsSpan(4), (ushort)(super.Length - 40));
        byte[] addressed = [.. super[..24], .. final];
        int full = SlowChecksum.PseudoHeader(addressed, IpProtocol.Tcp, super.Length - L4);
        BinaryPrimitives.WriteUInt16BigEndian(super.AsSpan(L4 + 16), (ushort)full);

        virtio_net_hdr vnet = new()
        {
            flags = Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM,
            gso_type = Libc.VIRTIO_NET_HDR_GSO_TCPV6,
            gso_size = 1000,
            csum_start = L4,
            csum_offset = 16,
        };
        Assert.True(SegmentPlan.TryCreate(vnet, _frame.PlaceAtEnd(super), super.Length, out SegmentPlan plan));
        Assert.Equal(3, plan.Count);
        for (int i = 0; i < plan.Count; i++)
        {
            plan.Write(i, _wire.Start);
            ReadOnlySpan<byte> l4 = new(_wire.Start + L4, plan.LengthOf(i) - L4);
            Assert.Equal(0xFFFF, SlowChecksum.Sum(l4, SlowChecksum.PseudoHeader(addressed, IpProtocol.Tcp, l4.Length)));
        }
    }

    [Fact]
    public void A_postponed_checksum_is_finished_and_all_else_copied()
    {
        Random random = new(24);
        for (int round = 0; round < 20_000; round++)
        {
            PacketSpec spec = RandomSpec(random) with { Payload = Bytes(random, random.Next(round % 100 == 0 ? 9000 : 200)) };
            virtio_net_hdr vnet = Gso(spec, 0);
            vnet.gso_type = Libc.VIRTIO_NET_HDR_GSO_NONE;
            vnet.hdr_len = 0;
            AssertSegments(spec, vnet, spec.BuildPartial(), [spec.Build()]);
        }
    }

    [Fact]
    public void A_finished_packet_is_copied_whatever_is_in_it()
    {
        Random random = new(25);
        foreach (byte flags in (byte[])[0, Libc.VIRTIO_NET_HDR_F_DATA_VALID])
        {
            for (int length = 1; length < 2000; length += random.Next(1, 9))
            {
                byte[] packet = Bytes(random, length);
                AssertSegments(new PacketSpec(), new virtio_net_hdr { flags = flags }, packet, [packet]);
            }
        }
    }

    [Fact]
    public void A_udp_checksum_that_comes_out_as_zero_is_stored_as_all_ones()
    {
        PacketSpec spec = new() { Protocol = IpProtocol.Udp, Payload = [0, 0, 1, 2] };
        // The first payload word takes up what is missing to a sum of 0xFFFF.
        byte[] zeroSum = spec.Build();
        zeroSum.AsSpan(26, 2).CopyTo(spec.Payload);
        byte[] expected = spec.Build();
        Assert.Equal([0xFF, 0xFF], expected[26..28]);
        virtio_net_hdr vnet = Gso(spec, 100);
        AssertSegments(spec, vnet, spec.BuildPartial(), [expected]);
        vnet.gso_type = Libc.VIRTIO_NET_HDR_GSO_NONE;
        AssertSegments(spec, vnet, spec.BuildPartial(), [expected]);
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        PacketSpec tcp = new() { Payload = new byte[60_000] }, udp = new() { Version = 6, Protocol = IpProtocol.Udp, Payload = new byte[5000] };
        byte[] first = tcp.BuildPartial(), second = udp.BuildPartial();
        byte* wire = _wire.Start;
        long packets = 0;
        fixed (byte* a = first)
        fixed (byte* b = second)
        {
            virtio_net_hdr tcpHeader = Gso(tcp, 1448), udpHeader = Gso(udp, 1000), partial = tcpHeader, none = default;
            partial.gso_type = 0;
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int round = 0; round < 1000; round++)
            {
                packets += WriteAll(tcpHeader, a, first.Length, wire) + WriteAll(udpHeader, b, second.Length, wire)
                    + WriteAll(partial, a, 1500, wire) + WriteAll(none, a, 1500, wire);
            }
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(1000 * (42 + 5 + 1 + 1), packets);
    }

    private static int WriteAll(in virtio_net_hdr vnet, byte* packet, int length, byte* wire)
    {
        if (!SegmentPlan.TryCreate(vnet, packet, length, out SegmentPlan plan)) return 0;
        for (int i = 0; i < plan.Count; i++) plan.Write(i, wire);
        return plan.Count;
    }
}
