using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>Each rule of merging by one example: what joins, what does not, what closes a flow.</summary>
public sealed class CoalescerRuleTests : IDisposable
{
    private const byte AckPsh = 0x18;

    private readonly CoalescerHarness _harness = new();

    public void Dispose() => _harness.Dispose();

    private static byte[] Fill(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static PacketSpec Tcp(int index, int payload = 100, int version = 4) => new()
    {
        Version = version,
        Sequence = 1000 + 100 * (uint)index,
        Id = (ushort)(0x1234 + index),
        Payload = Fill(payload, index),
    };

    private static PacketSpec Udp(int index, int payload = 100, int version = 4) => Tcp(index, payload, version) with { Protocol = IpProtocol.Udp };

    /// <summary>Packets per frame, after checking that the frames hold exactly the packets given, each flow in order.</summary>
    private int[] Groups(params ReadOnlySpan<byte[]> packets)
    {
        List<Frame> frames = _harness.Run(packets);
        List<List<byte[]>> naive = NaiveCoalescer.Merge(packets.ToArray());
        Assert.Equal(naive.SelectMany(group => group).Select(NaiveCoalescer.Normalise),
            frames.SelectMany(frame => frame.IsPartial ? [frame.Bytes] : frame.Expand()).Select(NaiveCoalescer.Normalise));
        return [.. frames.Select(frame => frame.Packets)];
    }

    private int[] Groups(params ReadOnlySpan<PacketSpec> specs)
    {
        byte[][] packets = new byte[specs.Length][];
        for (int i = 0; i < packets.Length; i++) packets[i] = specs[i].Build();
        return Groups(packets);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void Consecutive_segments_become_one_frame(int version) =>
        Assert.Equal([4], Groups(Tcp(0, 100, version), Tcp(1, 100, version), Tcp(2, 100, version), Tcp(3, 100, version)));

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void Equal_datagrams_become_one_frame(int version) =>
        Assert.Equal([3], Groups(Udp(0, 100, version), Udp(1, 100, version), Udp(2, 100, version)));

    [Fact]
    public void A_merged_frame_accounts_for_its_packets()
    {
        Frame frame = Assert.Single(_harness.Run(Tcp(0).Build(), Tcp(1).Build(), Tcp(2, 30).Build()));
        Assert.Equal(40 + 230, frame.Bytes.Length);
        Assert.Equal(140 + 140 + 70, frame.OriginalBytes);
        Assert.Equal(3, frame.Packets);
    }

    [Fact]
    public void A_single_packet_is_left_as_it_is_and_to_the_kernel_to_verify()
    {
        byte[] bad = Tcp(0).Build();
        bad[100] ^= 1;
        Frame frame = Assert.Single(_harness.Run(bad));
        Assert.Equal(default, frame.Header);
        Assert.Equal(bad, frame.Bytes);
    }

    [Fact]
    public void A_gap_in_the_sequence_starts_a_new_frame() => Assert.Equal([2, 2], Groups(Tcp(0), Tcp(1), Tcp(3), Tcp(4)));

    [Fact]
    public void A_repeated_segment_starts_a_new_frame() => Assert.Equal([2, 1], Groups(Tcp(0), Tcp(1), Tcp(1)));

    [Fact]
    public void Nothing_is_put_in_front() => Assert.Equal([1, 1], Groups(Tcp(1), Tcp(0)));

    [Fact]
    public void The_sequence_may_wrap() =>
        Assert.Equal([2], Groups(Tcp(0) with { Sequence = uint.MaxValue - 49 }, Tcp(1) with { Sequence = 50 }));

    [Fact]
    public void A_shorter_segment_is_the_last() =>
        Assert.Equal([3, 1], Groups(Tcp(0), Tcp(1), Tcp(2, 60), Tcp(2) with { Sequence = 1260, Id = 0x1237 }));

    [Fact]
    public void A_longer_segment_does_not_join() => Assert.Equal([2, 1], Groups(Tcp(0), Tcp(1), Tcp(2, 101)));

    [Fact]
    public void A_shorter_datagram_is_the_last() => Assert.Equal([3, 1], Groups(Udp(0), Udp(1), Udp(2, 60), Udp(3)));

    [Fact]
    public void A_longer_datagram_starts_a_new_frame() => Assert.Equal([2, 2], Groups(Udp(0), Udp(1), Udp(2, 101), Udp(3, 101)));

    [Fact]
    public void Psh_closes_the_frame_and_is_in_it()
    {
        PacketSpec push = Tcp(2) with { Flags = AckPsh };
        Assert.Equal([3, 1], Groups(Tcp(0), Tcp(1), push, Tcp(3)));
        List<Frame> frames = _harness.Run(Tcp(0).Build(), Tcp(1).Build(), push.Build());
        Assert.Equal(AckPsh, frames[0].Bytes[33]);
        Assert.Equal([1, 2], Groups(Tcp(0) with { Flags = AckPsh }, Tcp(1), Tcp(2)));
    }

    [Theory]
    [InlineData(0x01, "FIN")]
    [InlineData(0x02, "SYN")]
    [InlineData(0x04, "RST")]
    [InlineData(0x20, "URG")]
    [InlineData(0x40, "ECE")]
    [InlineData(0x80, "CWR")]
    public void Any_other_flag_closes_the_flow(int flag, string name)
    {
        PacketSpec odd = Tcp(2) with { Flags = (byte)(0x10 | flag) };
        Assert.True(Groups(Tcp(0), Tcp(1), odd, Tcp(2), Tcp(3)) is [2, 1, 2], name);
        Assert.True(Groups(odd, Tcp(3)) is [1, 1], name);
    }

    [Fact]
    public void A_segment_without_ack_closes_the_flow() => Assert.Equal([2, 1, 1], Groups(Tcp(0), Tcp(1), Tcp(2) with { Flags = 0 }, Tcp(2)));

    [Fact]
    public void Reserved_bits_close_the_flow() => Assert.Equal([2, 1, 1], Groups(Tcp(0), Tcp(1), Tcp(2) with { Reserved = 1 }, Tcp(2)));

    [Fact]
    public void A_pure_ack_is_not_merged_and_closes_the_flow() =>
        Assert.Equal([2, 1, 2], Groups(Tcp(0), Tcp(1), Tcp(2, 0), Tcp(2), Tcp(3)));

    [Fact]
    public void An_empty_datagram_is_not_merged_and_closes_the_flow() => Assert.Equal([2, 1, 2], Groups(Udp(0), Udp(1), Udp(2, 0), Udp(2), Udp(3)));

    public static TheoryData<string> Differences => [.. s_differences.Keys];

    private static readonly Dictionary<string, Func<PacketSpec, PacketSpec>> s_differences = new()
    {
        ["acknowledgment"] = spec => spec with { Acknowledgment = 1 },
        ["window"] = spec => spec with { Window = 1 },
        ["urgent pointer"] = spec => spec with { Urgent = 1 },
        ["options present"] = spec => spec with { Options = new byte[4] },
        ["type of service"] = spec => spec with { Tos = 2 },
        ["time to live"] = spec => spec with { Ttl = 9 },
        ["don't fragment"] = spec => spec with { Fragment = 0 },
        ["reserved flag"] = spec => spec with { Fragment = 0xC000 },
        ["traffic class"] = spec => spec with { Version = 6, Tos = 2 },
        ["flow label"] = spec => spec with { Version = 6, FlowLabel = 1 },
        ["hop limit"] = spec => spec with { Version = 6, Ttl = 9 },
        ["source port"] = spec => spec with { SourcePort = 1 },
        ["destination port"] = spec => spec with { DestinationPort = 1 },
        ["source address"] = spec => spec with { SourceHost = 77 },
        ["destination address"] = spec => spec with { DestinationHost = 77 },
    };

    [Theory]
    [MemberData(nameof(Differences))]
    public void A_difference_starts_a_new_frame(string what)
    {
        Func<PacketSpec, PacketSpec> change = s_differences[what];
        int version = change(Tcp(0)).Version;
        Assert.Equal([2, 2], Groups(Tcp(0, 100, version), Tcp(1, 100, version), change(Tcp(2)), change(Tcp(3))));
    }

    [Fact]
    public void Option_bytes_that_differ_start_a_new_frame()
    {
        byte[] early = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], late = [1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 2];
        Assert.Equal([2, 2], Groups(Tcp(0) with { Options = early }, Tcp(1) with { Options = early },
            Tcp(2) with { Options = late }, Tcp(3) with { Options = late }));
    }

    [Fact]
    public void Without_df_the_identification_must_count_up()
    {
        PacketSpec[] specs = [.. Enumerable.Range(0, 4).Select(i => Tcp(i) with { Fragment = 0, Id = (ushort)(0xFFFE + i) })];
        Assert.Equal([4], Groups(specs));
        specs[2] = specs[2] with { Id = 5 };
        Assert.Equal([2, 1, 1], Groups(specs));
    }

    [Fact]
    public void With_df_the_identification_means_nothing() => Assert.Equal([3], Groups(Tcp(0), Tcp(1) with { Id = 9 }, Tcp(2) with { Id = 0 }));

    [Theory]
    [InlineData(0, new[] { 1, 3 })]
    [InlineData(1, new[] { 1, 1, 2 })]
    [InlineData(2, new[] { 2, 1, 1 })]
    public void A_wrong_checksum_is_never_merged(int which, int[] expected)
    {
        foreach (PacketSpec[] specs in (PacketSpec[][])[[Tcp(0), Tcp(1), Tcp(2), Tcp(3)], [Udp(0), Udp(1), Udp(2), Udp(3)]])
        {
            byte[][] packets = [.. specs.Select(spec => spec.Build())];
            packets[which][^1] ^= 0x40;
            Assert.Equal(expected, Groups(packets));
        }
    }

    [Fact]
    public void A_datagram_without_checksum_is_not_merged_and_closes_the_flow()
    {
        byte[] without = Udp(2).Build();
        without[26] = without[27] = 0;
        Assert.Equal([2, 1, 2], Groups(Udp(0).Build(), Udp(1).Build(), without, Udp(3).Build(), Udp(4).Build()));
    }

    [Theory]
    [InlineData(107)]
    [InlineData(109)]
    public void A_datagram_with_a_contradicting_length_is_not_merged_and_closes_the_flow(byte length)
    {
        byte[] wrong = Udp(2).Build();
        wrong[25] = length;
        Assert.Equal([2, 1, 2], Groups(Udp(0).Build(), Udp(1).Build(), wrong, Udp(3).Build(), Udp(4).Build()));
    }

    [Theory]
    [InlineData(0x40)]
    [InlineData(0xF0)]
    public void A_segment_with_a_contradicting_header_length_is_not_merged_and_closes_the_flow(byte offset)
    {
        byte[] wrong = Tcp(2, 20).Build();
        wrong[32] = offset;
        Assert.Equal([2, 1, 1], Groups(Tcp(0).Build(), Tcp(1).Build(), wrong, Tcp(2).Build()));
    }

    [Theory]
    [InlineData(0x2000)]
    [InlineData(0x0010)]
    public void A_fragment_closes_all_flows_of_its_addresses_and_no_other(int word)
    {
        PacketSpec fragment = Tcp(9) with { Fragment = (ushort)word };
        PacketSpec otherPort = Tcp(0) with { SourcePort = 1 }, otherHost = Tcp(0) with { SourceHost = 200 };
        Assert.Equal([1, 1, 2, 1, 1, 1], Groups(Tcp(0), otherPort, otherHost, fragment,
            Tcp(1), otherPort with { Sequence = 1100 }, otherHost with { Sequence = 1100 }));
    }

    [Fact]
    public void What_has_no_ports_closes_all_flows_of_its_addresses()
    {
        byte[] ping = Tcp(5).Build();
        ping[9] = IpProtocol.Icmp;
        Assert.Equal([2, 1, 2], Groups(Tcp(0).Build(), Tcp(1).Build(), ping, Tcp(2).Build(), Tcp(3).Build()));
    }

    [Theory]
    [InlineData(4, 8)]
    [InlineData(6, 8)]
    public void Ip_options_and_extension_headers_are_not_merged_and_close_the_flow(int version, int options) =>
        Assert.Equal([2, 1, 1, 1], Groups(Tcp(0, 100, version), Tcp(1, 100, version), Tcp(2, 100, version) with { IpOptions = options },
            Tcp(3, 100, version) with { IpOptions = options }, Tcp(2, 100, version)));

    [Fact]
    public void Interleaved_flows_are_merged_apart_at_the_place_of_their_first_packet()
    {
        PacketSpec[] flows = [Tcp(0), Tcp(0) with { SourcePort = 1 }, Udp(0), Tcp(0, 100, 6), Udp(0, 100, 6)];
        List<PacketSpec> burst = [];
        for (int round = 0; round < 10; round++)
            burst.AddRange(flows.Select(flow => flow with { Sequence = 1000 + 100 * (uint)round }));
        byte[][] packets = [.. burst.Select(spec => spec.Build())];
        List<Frame> frames = _harness.Run(packets);
        Assert.Equal([10, 10, 10, 10, 10], frames.Select(frame => frame.Packets));
        Assert.Equal(packets[..5].Select(p => NaiveCoalescer.Flow(p)), frames.Select(frame => NaiveCoalescer.Flow(frame.Bytes)));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    public void Tcp_and_udp_on_the_same_ports_are_two_flows(int version)
    {
        // With eight slots one pair of flows in eight begins its search at the same one.
        using CoalescerHarness harness = new(flowSlots: 8);
        for (byte host = 1; host <= 100; host++)
        {
            PacketSpec[] specs = [Tcp(0, 100, version), Udp(0, 100, version), Tcp(1, 100, version), Udp(1, 100, version)];
            byte[][] packets = [.. specs.Select(spec => (spec with { SourceHost = host }).Build())];
            Assert.Equal([2, 2], harness.Run(packets).Select(frame => frame.Packets));
        }
    }

    [Fact]
    public void A_frame_has_at_most_64_datagrams_and_128_segments()
    {
        Assert.Equal([64, 64, 2], Groups([.. Enumerable.Range(0, 130).Select(i => Udp(i))]));
        Assert.Equal([128, 2], Groups([.. Enumerable.Range(0, 130).Select(i => Tcp(i))]));
    }

    [Theory]
    [InlineData(4, IpProtocol.Tcp)]
    [InlineData(6, IpProtocol.Tcp)]
    [InlineData(4, IpProtocol.Udp)]
    [InlineData(6, IpProtocol.Udp)]
    public void A_frame_has_at_most_65535_bytes(int version, byte protocol)
    {
        PacketSpec spec = Tcp(0, 0, version) with { Protocol = protocol };
        const int Size = 1400;
        int room = 65535 - spec.HeaderLength;
        foreach (int tail in (int[])[room % Size, room % Size + 1])
        {
            List<PacketSpec> specs =
                [.. Enumerable.Range(0, room / Size).Select(i => spec with { Sequence = (uint)(Size * i), Payload = Fill(Size, i) })];
            specs.Add(spec with { Sequence = (uint)(Size * specs.Count), Payload = Fill(tail) });
            int[] groups = Groups([.. specs]);
            Assert.Equal(tail == room % Size ? [specs.Count] : (int[])[specs.Count - 1, 1], groups);
        }
    }

    [Fact]
    public void Merging_of_either_protocol_can_be_switched_off()
    {
        byte[][] packets = [Tcp(0).Build(), Udp(0).Build(), Tcp(1).Build(), Udp(1).Build()];
        foreach ((bool tcp, bool udp, int frames) in ((bool, bool, int)[])[(true, true, 2), (true, false, 3), (false, true, 3), (false, false, 4)])
        {
            using CoalescerHarness harness = new(16, tcp, udp);
            List<Frame> result = harness.Run(packets);
            Assert.Equal(frames, result.Count);
            Assert.Equal(tcp, result.Exists(frame => frame.Header.gso_type == Libc.VIRTIO_NET_HDR_GSO_TCPV4));
            Assert.Equal(udp, result.Exists(frame => frame.Header.gso_type == Libc.VIRTIO_NET_HDR_GSO_UDP_L4));
        }
    }

    [Fact]
    public void Bursts_do_not_know_each_other()
    {
        for (int burst = 0; burst < 1000; burst++)
            Assert.Equal([2, 1], _harness.Run(Tcp(2 * burst).Build(), Tcp(2 * burst + 1).Build(), Udp(burst).Build()).Select(frame => frame.Packets));
    }

    [Fact]
    public void A_full_burst_says_so_and_refuses_more()
    {
        using CoalescerHarness harness = new(capacity: 3);
        for (int i = 0; i < 3; i++)
        {
            Assert.False(harness.Coalescer.IsFull);
            harness.Add(Tcp(i).Build());
        }
        Assert.True(harness.Coalescer.IsFull);
        Assert.Throws<InvalidOperationException>(() => harness.Add(Tcp(3).Build()));
        Assert.Throws<InvalidOperationException>(() => harness.AddSuperPacket(Tcp(3).Build(), 50, 2));
        Assert.Equal(3, Assert.Single(harness.Finish()).Packets);
        Assert.False(harness.Coalescer.IsFull);
    }

    [Fact]
    public void Bytes_that_are_no_ip_packet_pass_as_they_are()
    {
        byte[][] nonsense = [[0x45], [0x60, .. new byte[38]], [.. Enumerable.Repeat((byte)0xFF, 60)], new byte[20], [0x4F, .. new byte[19]]];
        Assert.Equal(nonsense, _harness.Run(nonsense).Select(frame => frame.Bytes));
    }
}
