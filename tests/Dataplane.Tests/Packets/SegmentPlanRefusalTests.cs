using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>Virtio-net headers that contradict their packet: each class is refused, and none makes the plan read too far.</summary>
public sealed unsafe class SegmentPlanRefusalTests : IDisposable
{
    private const byte NeedsCsum = Libc.VIRTIO_NET_HDR_F_NEEDS_CSUM;
    private const byte TcpV4 = Libc.VIRTIO_NET_HDR_GSO_TCPV4;
    private const byte TcpV6 = Libc.VIRTIO_NET_HDR_GSO_TCPV6;
    private const byte UdpL4 = Libc.VIRTIO_NET_HDR_GSO_UDP_L4;
    private const byte Ecn = Libc.VIRTIO_NET_HDR_GSO_ECN;

    private static readonly PacketSpec s_tcp4 = new() { Payload = new byte[300] };
    private static readonly PacketSpec s_tcp6 = s_tcp4 with { Version = 6 };
    private static readonly PacketSpec s_udp4 = s_tcp4 with { Protocol = IpProtocol.Udp };
    private static readonly PacketSpec s_udp6 = s_udp4 with { Version = 6 };

    private readonly GuardedMemory _frame = new(65575);
    private readonly GuardedMemory _wire = new(65575);

    public void Dispose()
    {
        _frame.Dispose();
        _wire.Dispose();
    }

    private bool IsAccepted(byte[] packet, virtio_net_hdr vnet) =>
        SegmentPlan.TryCreate(vnet, _frame.PlaceAtEnd(packet), packet.Length, out _);

    private static virtio_net_hdr Header(byte gsoType, int start, int offset, int size = 100, byte flags = NeedsCsum, int headerLength = 40) => new()
    {
        flags = flags,
        gso_type = gsoType,
        hdr_len = (ushort)headerLength,
        gso_size = (ushort)size,
        csum_start = (ushort)start,
        csum_offset = (ushort)offset,
    };

    [Fact]
    public void The_headers_these_tests_start_from_are_accepted()
    {
        Assert.True(IsAccepted(s_tcp4.BuildPartial(), Header(TcpV4, 20, 16)));
        Assert.True(IsAccepted(s_tcp4.BuildPartial(), Header(TcpV4 | Ecn, 20, 16)));
        Assert.True(IsAccepted(s_tcp6.BuildPartial(), Header(TcpV6, 40, 16)));
        Assert.True(IsAccepted(s_tcp6.BuildPartial(), Header(TcpV6 | Ecn, 40, 16)));
        Assert.True(IsAccepted(s_udp4.BuildPartial(), Header(UdpL4, 20, 6)));
        Assert.True(IsAccepted(s_udp6.BuildPartial(), Header(UdpL4, 40, 6)));
        Assert.True(IsAccepted(s_tcp4.BuildPartial(), Header(0, 20, 16)));
        Assert.True(IsAccepted(s_tcp4.BuildPartial(), Header(0, 0, 0, flags: 0)));
    }

    [Fact]
    public void Segment_size_zero() => Assert.False(IsAccepted(s_tcp4.BuildPartial(), Header(TcpV4, 20, 16, size: 0)));

    [Fact]
    public void Super_packet_without_postponed_checksum() =>
        Assert.False(IsAccepted(s_tcp4.BuildPartial(), Header(TcpV4, 20, 16, flags: 0)));

    [Fact]
    public void Unknown_flags()
    {
        for (int flags = 4; flags < 256; flags++)
            Assert.False(IsAccepted(s_tcp4.BuildPartial(), Header(TcpV4, 20, 16, flags: (byte)flags)));
    }

    [Fact]
    public void Every_other_gso_type()
    {
        for (int type = 1; type < 256; type++)
        {
            Assert.Equal(type is TcpV4 or (TcpV4 | Ecn), IsAccepted(s_tcp4.BuildPartial(), Header((byte)type, 20, 16)));
            Assert.Equal(type is TcpV6 or (TcpV6 | Ecn), IsAccepted(s_tcp6.BuildPartial(), Header((byte)type, 40, 16)));
            Assert.Equal(type is UdpL4, IsAccepted(s_udp4.BuildPartial(), Header((byte)type, 20, 6)));
            Assert.Equal(type is UdpL4, IsAccepted(s_udp6.BuildPartial(), Header((byte)type, 40, 6)));
        }
    }

    [Fact]
    public void Every_other_checksum_start_and_offset_of_a_super_packet()
    {
        byte[] packet = s_tcp4.BuildPartial(), datagram = s_udp6.BuildPartial();
        for (int start = 0; start < 400; start++) Assert.Equal(start == 20, IsAccepted(packet, Header(TcpV4, start, 16)));
        for (int start = 0; start < 400; start++) Assert.Equal(start == 40, IsAccepted(datagram, Header(UdpL4, start, 6)));
        for (int offset = 0; offset < 400; offset++) Assert.Equal(offset == 16, IsAccepted(packet, Header(TcpV4, 20, offset)));
        for (int offset = 0; offset < 400; offset++) Assert.Equal(offset == 6, IsAccepted(datagram, Header(UdpL4, 40, offset)));
        Assert.False(IsAccepted(packet, Header(TcpV4, 65535, 16)));
        Assert.False(IsAccepted(packet, Header(TcpV4, 20, 65535)));
    }

    [Fact]
    public void Checksum_field_outside_of_a_plain_packet_or_over_its_ip_header()
    {
        byte[] packet = s_tcp4.BuildPartial();
        for (int start = 0; start <= 341; start++)
        {
            for (int offset = 0; offset <= 341; offset++)
            {
                bool expected = start >= 20 && start + offset + 2 <= 340 && offset % 2 == 0;
                if (expected != IsAccepted(packet, Header(0, start, offset))) Assert.Fail($"start {start}, offset {offset}");
            }
        }
        Assert.False(IsAccepted(packet, Header(0, 65535, 65535)));
        Assert.False(IsAccepted(s_tcp6.BuildPartial(), Header(0, 38, 2)));
    }

    [Theory]
    [InlineData(TcpV4)]
    [InlineData(0)]
    public void Header_length_beyond_the_packet(byte gsoType)
    {
        Assert.True(IsAccepted(s_tcp4.BuildPartial(), Header(gsoType, 20, 16, headerLength: 340)));
        Assert.False(IsAccepted(s_tcp4.BuildPartial(), Header(gsoType, 20, 16, headerLength: 341)));
        Assert.False(IsAccepted(s_tcp4.BuildPartial(), Header(gsoType, 20, 16, headerLength: 65535)));
    }

    [Fact]
    public void Tcp_data_offset_below_the_header_or_beyond_the_packet()
    {
        byte[] packet = (s_tcp4 with { Payload = new byte[8] }).BuildPartial();
        for (int words = 0; words < 16; words++)
        {
            packet[32] = (byte)(words << 4);
            Assert.Equal(words is >= 5 and <= 7, IsAccepted(packet, Header(TcpV4, 20, 16)));
        }
    }

    [Fact]
    public void Packet_cut_inside_its_headers()
    {
        byte[] tcp = s_tcp4.BuildPartial(), tcp6 = s_tcp6.BuildPartial(), udp = s_udp4.BuildPartial(), udp6 = s_udp6.BuildPartial();
        for (int length = 1; length < 80; length++)
        {
            Assert.Equal(length >= 40, IsAccepted(tcp[..length], Header(TcpV4, 20, 16, headerLength: 0)));
            Assert.Equal(length >= 60, IsAccepted(tcp6[..length], Header(TcpV6, 40, 16, headerLength: 0)));
            Assert.Equal(length >= 28, IsAccepted(udp[..length], Header(UdpL4, 20, 6, headerLength: 0)));
            Assert.Equal(length >= 48, IsAccepted(udp6[..length], Header(UdpL4, 40, 6, headerLength: 0)));
        }
    }

    [Fact]
    public void Protocol_that_is_not_the_one_of_the_gso_type()
    {
        byte[] packet = s_tcp4.BuildPartial(), packet6 = s_udp6.BuildPartial();
        for (int protocol = 0; protocol < 256; protocol++)
        {
            packet[9] = (byte)protocol;
            Assert.Equal(protocol == IpProtocol.Tcp, IsAccepted(packet, Header(TcpV4, 20, 16)));
            packet6[6] = (byte)protocol;
            Assert.Equal(protocol == IpProtocol.Udp, IsAccepted(packet6, Header(UdpL4, 40, 6)));
        }
    }

    [Theory]
    [InlineData(0x2000)]
    [InlineData(0x0001)]
    [InlineData(0x1FFF)]
    public void Fragment_of_ipv4(int word) =>
        Assert.False(IsAccepted((s_tcp4 with { Fragment = (ushort)word }).BuildPartial(), Header(TcpV4, 20, 16)));

    [Fact]
    public void Ipv6_headers_that_do_not_lead_to_the_checksum_start()
    {
        byte[] packet = (s_tcp6 with { IpOptions = 16 }).BuildPartial();
        Assert.True(IsAccepted(packet, Header(TcpV6, 56, 16)));
        for (int start = 40; start < 120; start++)
            Assert.Equal(start == 56, IsAccepted(packet, Header(TcpV6, start, 16)));
        foreach (byte next in (byte[])[IpProtocol.Fragment, 50, 51, 59, IpProtocol.Tcp])
        {
            packet[6] = next;
            Assert.False(IsAccepted(packet, Header(TcpV6, 56, 16)));
        }
        packet[6] = IpProtocol.DestinationOptions;
        packet[41] = 255;
        Assert.False(IsAccepted(packet, Header(TcpV6, 56, 16)));
    }

    [Fact]
    public void Chain_of_sixty_extension_headers()
    {
        byte[] plain = s_tcp6.BuildPartial();
        byte[] chain = new byte[60 * 8];
        for (int i = 0; i < 60; i++) chain[8 * i] = i == 59 ? IpProtocol.Tcp : IpProtocol.DestinationOptions;
        byte[] packet = [.. plain[..40], .. chain, .. plain[40..]];
        packet[6] = IpProtocol.DestinationOptions;
        Assert.False(IsAccepted(packet, Header(TcpV6, 40 + chain.Length, 16)));
    }

    [Fact]
    public void Random_nonsense_never_reads_or_writes_too_far()
    {
        Random random = new(30);
        PacketSpec[] specs = [s_tcp4, s_tcp6, s_udp4, s_udp6, s_tcp6 with { IpOptions = 8 }, s_tcp4 with { IpOptions = 8, Options = new byte[12] }];
        byte[][] whole = [.. specs.Select(s => s.BuildPartial())];
        int accepted = 0;
        for (int round = 0; round < 300_000; round++)
        {
            int which = random.Next(specs.Length);
            PacketSpec spec = specs[which];
            ReadOnlySpan<byte> packet = whole[which].AsSpan(0, random.Next(1, whole[which].Length + 1));
            virtio_net_hdr vnet = Header(
                spec.Protocol == IpProtocol.Udp ? UdpL4 : spec.Version == 4 ? TcpV4 : TcpV6,
                spec.IpHeaderLength, spec.ChecksumField - spec.IpHeaderLength, random.Next(1, 400), headerLength: 0);
            byte* frame = _frame.PlaceAtEnd(packet);
            for (int flips = random.Next(4); flips > 0; flips--)
            {
                if (random.Next(2) == 0) ((byte*)&vnet)[random.Next(sizeof(virtio_net_hdr))] = (byte)random.Next(256);
                else frame[random.Next(Math.Min(packet.Length, 90))] = (byte)random.Next(256);
            }
            if (!SegmentPlan.TryCreate(vnet, frame, packet.Length, out SegmentPlan plan)) continue;
            accepted++;
            int total = 0;
            for (int i = 0; i < plan.Count; i++)
            {
                int length = plan.LengthOf(i);
                total += length;
                plan.Write(i, _wire.Tail(length));
            }
            Assert.True(total >= packet.Length);
        }
        Assert.InRange(accepted, 50_000, 250_000);
    }
}
