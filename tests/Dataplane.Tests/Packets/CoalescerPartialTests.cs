using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>Packets of a kernel sender on the same host: checksums nobody completed, super-packets nobody cut.</summary>
public sealed class CoalescerPartialTests : IDisposable
{
    private readonly CoalescerHarness _harness = new();

    public void Dispose() => _harness.Dispose();

    private static PacketSpec Spec(int version, byte protocol, int payload, uint sequence = 1000)
    {
        byte[] bytes = new byte[payload];
        new Random(payload).NextBytes(bytes);
        return new() { Version = version, Protocol = protocol, Payload = bytes, Sequence = sequence };
    }

    public static TheoryData<int, byte> Families => new()
    {
        { 4, IpProtocol.Tcp },
        { 6, IpProtocol.Tcp },
        { 4, IpProtocol.Udp },
        { 6, IpProtocol.Udp },
    };

    [Theory]
    [MemberData(nameof(Families))]
    public void A_single_packet_with_a_postponed_checksum_asks_for_it(int version, byte protocol)
    {
        foreach (int payload in (int[])[0, 1, 500])
        {
            PacketSpec spec = Spec(version, protocol, payload);
            Frame frame = Assert.Single(_harness.Run(spec.BuildPartial()));
            Assert.True(frame.IsPartial);
            Assert.Equal(spec.BuildPartial(), frame.Bytes);
            Assert.Equal([spec.Build()], frame.Expand());
        }
    }

    [Fact]
    public void So_does_one_behind_ipv4_options()
    {
        PacketSpec spec = Spec(4, IpProtocol.Tcp, 100) with { IpOptions = 8 };
        Assert.Equal([spec.Build()], Assert.Single(_harness.Run(spec.BuildPartial())).Expand());
    }

    [Fact]
    public void A_fragment_never_does()
    {
        PacketSpec spec = Spec(4, IpProtocol.Udp, 100) with { Fragment = 0x2000 };
        Assert.Equal(default, Assert.Single(_harness.Run(spec.BuildPartial())).Header);
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Postponed_and_complete_checksums_merge(int version, byte protocol)
    {
        PacketSpec[] specs = [Spec(version, protocol, 100), Spec(version, protocol, 100, 1100), Spec(version, protocol, 100, 1200)];
        for (int mask = 0; mask < 8; mask++)
        {
            byte[][] packets = [.. specs.Select((spec, i) => (mask >> i & 1) != 0 ? spec.BuildPartial() : spec.Build())];
            Frame frame = Assert.Single(_harness.Run(packets));
            Assert.Equal(specs.Select(spec => NaiveCoalescer.Normalise(spec.Build())), frame.Expand().Select(NaiveCoalescer.Normalise));
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void A_super_packet_passes_uncut(int version, byte protocol)
    {
        foreach (int options in (int[])[0, 12])
        {
            PacketSpec spec = Spec(version, protocol, 26_000) with { Options = protocol == IpProtocol.Tcp ? new byte[options] : [] };
            foreach (byte[] super in (byte[][])[spec.BuildPartial(), spec.Build()])
            {
                Assert.True(_harness.AddSuperPacket(super, 1300, 20));
                Frame frame = Assert.Single(_harness.Finish());
                Assert.True(frame.IsSuperPacket);
                Assert.Equal(20, frame.Packets);
                Assert.Equal(1300, frame.Header.gso_size);
                Assert.Equal(super.Length, frame.OriginalBytes);
                Assert.Equal(NaiveSegmenter.Segment(spec, 1300), frame.Expand());
            }
        }
    }

    [Fact]
    public void A_super_packet_with_ipv4_options_passes_too()
    {
        PacketSpec spec = Spec(4, IpProtocol.Tcp, 5000) with { IpOptions = 8 };
        Assert.True(_harness.AddSuperPacket(spec.BuildPartial(), 1300, 4));
        Assert.Equal(NaiveSegmenter.Segment(spec, 1300), Assert.Single(_harness.Finish()).Expand());
    }

    [Fact]
    public void Cwr_in_a_super_packet_is_announced()
    {
        PacketSpec spec = Spec(4, IpProtocol.Tcp, 5000) with { Flags = Tcp.Ack | Tcp.Cwr | Tcp.Fin };
        Assert.True(_harness.AddSuperPacket(spec.BuildPartial(), 1300, 4));
        Frame frame = Assert.Single(_harness.Finish());
        Assert.Equal(Libc.VIRTIO_NET_HDR_GSO_TCPV4 | Libc.VIRTIO_NET_HDR_GSO_ECN, frame.Header.gso_type);
        Assert.Equal(NaiveSegmenter.Segment(spec, 1300), frame.Expand());
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void One_of_a_single_segment_only_asks_for_its_checksum(int version, byte protocol)
    {
        foreach (int payload in (int[])[0, 1299, 1300])
        {
            PacketSpec spec = Spec(version, protocol, payload);
            Assert.True(_harness.AddSuperPacket(spec.BuildPartial(), 1300, 1));
            Frame frame = Assert.Single(_harness.Finish());
            Assert.True(frame.IsPartial);
            Assert.Equal([spec.Build()], frame.Expand());
        }
    }

    [Fact]
    public void A_super_packet_closes_its_flow_and_no_other()
    {
        PacketSpec other = Spec(4, IpProtocol.Tcp, 100) with { SourcePort = 1 };
        _harness.Add(Spec(4, IpProtocol.Tcp, 100).Build());
        _harness.Add(other.Build());
        Assert.True(_harness.AddSuperPacket(Spec(4, IpProtocol.Tcp, 3000, 5000).BuildPartial(), 1300, 3));
        _harness.Add(Spec(4, IpProtocol.Tcp, 100, 1100).Build());
        _harness.Add((other with { Sequence = 1100 }).Build());
        Assert.Equal([1, 2, 3, 1], _harness.Finish().Select(frame => frame.Packets));
    }

    [Fact]
    public void What_cannot_be_expressed_is_refused_and_leaves_no_trace()
    {
        PacketSpec tcp = Spec(4, IpProtocol.Tcp, 5000), udp = Spec(4, IpProtocol.Udp, 5000), tcp6 = Spec(6, IpProtocol.Tcp, 5000);
        byte[] icmp = tcp.BuildPartial();
        icmp[9] = IpProtocol.Icmp;
        byte[] wrongChecksum = tcp.Build();
        wrongChecksum[^1] ^= 1;
        byte[] noChecksum = udp.BuildPartial();
        noChecksum[26] = noChecksum[27] = 0;
        byte[] wrongUdpLength = udp.BuildPartial();
        wrongUdpLength[25] ^= 4;
        byte[] shortTcpHeader = tcp.BuildPartial();
        shortTcpHeader[32] = 0x40;
        byte[] longTcpHeader = (tcp with { Payload = [1] }).BuildPartial();
        longTcpHeader[32] = 0xF0;
        (string What, byte[] Packet, int Size)[] cases =
        [
            ("segment size 0", tcp.BuildPartial(), 0),
            ("segment size 65535", tcp.BuildPartial(), 65535),
            ("negative segment size", tcp.BuildPartial(), -1),
            ("other protocol", icmp, 1300),
            ("fragment", (tcp with { Fragment = 0x2000 }).BuildPartial(), 1300),
            ("extension header", (tcp6 with { IpOptions = 8 }).BuildPartial(), 1300),
            ("wrong checksum", wrongChecksum, 1300),
            ("no checksum", noChecksum, 1300),
            ("wrong UDP length", wrongUdpLength, 1300),
            ("TCP header too short", shortTcpHeader, 1300),
            ("TCP header beyond the packet", longTcpHeader, 1300),
            ("129 datagrams", (udp with { Payload = new byte[1281] }).BuildPartial(), 10),
            ("not the IP length", tcp.BuildPartial()[..5000], 1300),
            ("too short for anything", new byte[19], 1300),
        ];
        _harness.Add(Spec(4, IpProtocol.Tcp, 100).Build());
        foreach ((string what, byte[] packet, int size) in cases) Assert.False(_harness.AddSuperPacket(packet, size, 4), what);
        _harness.Add(Spec(4, IpProtocol.Tcp, 100, 1100).Build());
        Assert.Equal(2, Assert.Single(_harness.Finish()).Packets);

        Assert.True(_harness.AddSuperPacket((udp with { Payload = new byte[1280] }).BuildPartial(), 10, 128));
        Assert.Single(_harness.Finish());
    }
}
