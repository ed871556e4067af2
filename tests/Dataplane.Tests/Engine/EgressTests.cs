using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Engine;

public sealed class EgressTests
{
    private static readonly uint s_us = Ip("10.5.1.7"), s_pod2 = Ip("10.5.2.9"), s_pod3 = Ip("10.5.3.9");
    private static readonly byte[] s_payload = [1, 2, 3, 4, 5, 6, 7, 8];

    [Fact]
    public void A_packet_leaves_bare_with_one_hop_less_and_a_right_checksum()
    {
        using var rig = Rigs.Udp();
        byte[] packet = Udp4(s_us, s_pod2, s_payload);
        rig.Host.TunIn.Enqueue(WithVnet(packet));
        rig.Run();

        Datagram sent = Assert.Single(rig.Host.UdpOut);
        Assert.Equal(WorkerRig<IpInUdp>.Host2, sent.Address);
        Assert.Equal(8285, sent.Port);
        Assert.Equal(63, sent.Payload[8]);
        Assert.True(ChecksumsAreRight(sent.Payload));
        packet[8] = 63;
        FixHeaderChecksum(packet);
        Assert.Equal(packet, sent.Payload);
        Assert.Equal((packet.Length, 0), rig.Host.Messages[0]);
    }

    [Fact]
    public void Vxlan_puts_header_and_ethernet_in_front_and_leaves_the_ttl()
    {
        using var rig = Rigs.Vxlan();
        byte[] packet = Udp4(s_us, s_pod2, s_payload, ttl: 1);
        rig.Host.TunIn.Enqueue(WithVnet(packet));
        rig.Run();
        byte[] expected = Vxlan(packet, WorkerRig<Vxlan>.Mac2.Value, WorkerRig<Vxlan>.OurMac.Value, 1);
        Assert.Equal(expected, Assert.Single(rig.Host.UdpOut).Payload);
    }

    [Fact]
    public void Vxlan_carries_ipv6()
    {
        using var rig = Rigs.Vxlan();
        byte[] packet = Udp6(Ip6("fd00:1::7"), Ip6("fd00:2::9"), s_payload);
        rig.Host.TunIn.Enqueue(WithVnet(packet));
        rig.Run();
        byte[] expected = Vxlan(packet, WorkerRig<Vxlan>.Mac2.Value, WorkerRig<Vxlan>.OurMac.Value, 1, etherType: 0x86DD);
        Assert.Equal(expected, Assert.Single(rig.Host.UdpOut).Payload);
    }

    /// <summary>Without the switch it is damaged IPv4, as for stock.</summary>
    [Theory, InlineData(true, 1), InlineData(false, 0)]
    public void Ipv6_leaves_bare_where_every_peer_is_ours(bool innerIpv6, int sent)
    {
        using var rig = new WorkerRig<IpInUdp>(new(innerIpv6));
        byte[] packet = Udp6(Ip6("fd00:1::7"), Ip6("fd00:2::9"), s_payload);
        rig.Host.TunIn.Enqueue(WithVnet(packet));
        rig.Run();
        Assert.Equal(Enumerable.Repeat(packet, sent), rig.Host.UdpOut.Select(datagram => datagram.Payload));
    }

    [Fact]
    public void A_super_packet_leaves_as_one_message_of_segments()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(TcpSuper(s_us, s_pod2, payload: 10_000, gsoSize: 1400));
        WorkerStatus status = rig.Run();
        Assert.Equal(8, status.Egress.Packets);
        Assert.Equal(8, status.Egress.Forwarded);
        Assert.Equal((10_000 + 8 * 40, 1440), Assert.Single(rig.Host.Messages));
        Assert.All(rig.Host.UdpOut, datagram => Assert.True(ChecksumsAreRight(datagram.Payload)));
    }

    [Fact]
    public void A_64_KiB_super_packet_takes_two_messages_within_the_limits()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(TcpSuper(s_us, s_pod2, payload: 65_495 - 40, gsoSize: 1420));
        WorkerStatus status = rig.Run();
        Assert.Equal(47, status.Egress.Forwarded);
        Assert.All(rig.Host.Messages, message => Assert.InRange(message.Length, 1, 65507));
        Assert.Equal(2, rig.Host.Messages.Count);
    }

    [Fact]
    public void Equal_packets_of_one_peer_share_a_message_even_between_those_of_another()
    {
        using var rig = Rigs.Udp();
        for (int i = 0; i < 10; i++) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, i % 2 == 0 ? s_pod2 : s_pod3, s_payload)));
        rig.Run();
        Assert.Equal(2, rig.Host.Messages.Count);
        Assert.All(rig.Host.Messages, message => Assert.Equal((5 * 36, 36), message));
    }

    [Fact]
    public void A_longer_packet_starts_a_new_message_and_the_order_per_peer_stays()
    {
        using var rig = Rigs.Udp();
        int[] sizes = [100, 100, 40, 100, 300, 300, 20];
        foreach (int size in sizes) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[size])));
        rig.Run();
        Assert.Equal(sizes, rig.Host.UdpOut.Select(datagram => datagram.Payload.Length - 28));
        Assert.Equal(3, rig.Host.Messages.Count);
    }

    [Fact]
    public void More_peers_than_runs_flush_early_and_lose_nothing()
    {
        using var rig = Rigs.Udp();
        for (int i = 0; i < 500; i++) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, i % 2 == 0 ? s_pod2 : s_pod3, new byte[i])));
        WorkerStatus status = rig.Run();
        Assert.Equal(500, status.Egress.Forwarded);
        Assert.Equal(500, rig.Host.UdpOut.Count);
    }

    [Fact]
    public void An_open_checksum_is_finished()
    {
        using var rig = Rigs.Udp();
        byte[] packet = Udp4(s_us, s_pod2, s_payload);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(26), (ushort)PseudoSum(packet, 20));
        rig.Host.TunIn.Enqueue(WithVnet(packet, flags: 1, csumStart: 20, csumOffset: 6));
        rig.Run();
        Assert.True(ChecksumsAreRight(Assert.Single(rig.Host.UdpOut).Payload));
    }

    [Fact]
    public void Ipv6_in_the_udp_encapsulation_has_the_wrong_version() => AssertDrop("bad_version", Udp6(1, 2, s_payload));

    [Fact]
    public void A_destination_nobody_owns_is_answered_with_an_unreachable_that_no_kernel_takes_for_martian()
    {
        using var rig = Rigs.Udp();
        uint nowhere = Ip("10.5.77.1");
        byte[] packet = Udp4(s_us, nowhere, s_payload);
        rig.Host.TunIn.Enqueue(WithVnet(packet));
        WorkerStatus status = rig.Run();
        Assert.Equal(1, status.Egress.Drops["no_route"]);
        Assert.Equal(1, status.IcmpSent);
        byte[] answer = Assert.Single(rig.Host.TunOut)[VnetSize..];
        Assert.Equal(Ipv4(nowhere, s_us, 1, answer.AsSpan(20), fragment: 0)[12..20], answer[12..20]);
        Assert.Equal((3, 0), (answer[20], answer[21]));
        Assert.Equal(packet, answer[28..]);
        Assert.Equal(0xFFFF, Sum(answer.AsSpan(20), 0));
        Assert.True(ChecksumsAreRight(answer));
    }

    [Fact]
    public void The_last_hop_is_answered_in_the_name_of_the_peers_device()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, s_payload, ttl: 1)));
        WorkerStatus status = rig.Run();
        Assert.Equal(1, status.Egress.Drops["ttl"]);
        byte[] answer = Assert.Single(rig.Host.TunOut)[VnetSize..];
        Assert.Equal(11, answer[20]);
        Assert.Equal(Ip("10.5.2.0"), System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(answer.AsSpan(12)));
    }

    [Fact]
    public void Ttl_0_is_dropped_in_silence()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, s_payload, ttl: 0)));
        Assert.Equal(1, rig.Run().Egress.Drops["ttl"]);
        Assert.Empty(rig.Host.TunOut);
        Assert.Empty(rig.Host.UdpOut);
    }

    [Fact]
    public void Every_ttl_leaves_one_lower_or_not_at_all()
    {
        using var rig = Rigs.Udp();
        for (int ttl = 0; ttl < 256; ttl++) rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, s_payload, (byte)ttl)));
        rig.Run();
        Assert.Equal(Enumerable.Range(1, 254), rig.Host.UdpOut.Select(datagram => (int)datagram.Payload[8]));
        Assert.All(rig.Host.UdpOut, datagram => Assert.True(ChecksumsAreRight(datagram.Payload)));
    }

    [Fact]
    public void Unreachables_are_rate_limited_and_quote_nothing_foreign()
    {
        using var rig = Rigs.Udp();
        var random = new Random(7);
        for (int i = 0; i < 5000; i++)
        {
            // A canary of earlier, longer packets fills the buffer behind each short one.
            byte[] packet = Ipv4(s_us, Ip("10.5.77.1"), 47, new byte[random.Next(0, 12)]);
            rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, Enumerable.Repeat((byte)0xCA, 1000).ToArray())));
            rig.Host.TunIn.Enqueue(WithVnet(packet));
        }
        WorkerStatus status = rig.Run();
        Assert.Equal(5000, status.Egress.Drops["no_route"]);
        Assert.InRange(status.IcmpSent, 1, 200);
        Assert.Equal(5000, status.IcmpSent + status.IcmpSuppressed);
        Assert.All(rig.Host.TunOut, frame => Assert.DoesNotContain((byte)0xCA, frame[VnetSize..]));
    }

    [Theory]
    [InlineData((byte)3)]
    [InlineData((byte)11)]
    [InlineData((byte)5)]
    public void No_error_answers_an_icmp_error(byte type)
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(WithVnet(Ipv4(s_us, Ip("10.5.77.1"), 1, new byte[] { type, 0, 0, 0, 0, 0, 0, 0 })));
        Assert.Equal(1, rig.Run().Egress.Drops["no_route"]);
        Assert.Empty(rig.Host.TunOut);
    }

    [Fact]
    public void No_error_answers_a_later_fragment()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(WithVnet(Ipv4(s_us, Ip("10.5.77.1"), 17, new byte[16], fragment: 0x2001)));
        Assert.Equal(1, rig.Run().Egress.Drops["no_route"]);
        Assert.Empty(rig.Host.TunOut);
    }

    [Fact]
    public void Our_own_subnet_never_leaves() => AssertDrop("reflect", Udp4(s_us, Ip("10.5.1.8"), s_payload));

    [Fact]
    public void A_foreign_source_does_not_leave() => AssertDrop("spoof_src", Udp4(Ip("10.5.2.1"), s_pod2, s_payload));

    [Fact]
    public void A_foreign_source_leaves_when_the_check_is_off()
    {
        using var rig = Rigs.Udp(options => options with { SourceCheck = SourceCheck.Off });
        rig.Host.TunIn.Enqueue(WithVnet(Udp4(Ip("172.16.0.1"), s_pod2, s_payload)));
        Assert.Equal(1, rig.Run().Egress.Forwarded);
    }

    [Theory]
    [InlineData(1, 1, 40, 0, 20, 16)] // segment size 0
    [InlineData(1, 1, 40, 1400, 60000, 16)] // checksum beyond the packet
    [InlineData(1, 1, 40, 1400, 20, 6)] // checksum of UDP in TCP
    [InlineData(1, 4, 40, 1400, 20, 16)] // TCP over IPv6 said, IPv4 there
    [InlineData(0, 1, 40, 1400, 20, 16)] // segments without checksum
    [InlineData(1, 77, 40, 1400, 20, 16)] // unknown type
    public void A_virtio_header_that_contradicts_the_packet_is_refused(int flags, int gsoType, int headerLength, int gsoSize, int csumStart, int csumOffset)
    {
        using var rig = Rigs.Udp();
        byte[] packet = Tcp4(s_us, s_pod2, 1, 0x10, new byte[5000]);
        rig.Host.TunIn.Enqueue(WithVnet(packet, (byte)flags, (byte)gsoType, headerLength, gsoSize, csumStart, csumOffset));
        Assert.Equal(1, rig.Run().Egress.Drops["bad_vnet"]);
        Assert.Empty(rig.Host.UdpOut);
    }

    [Fact]
    public void Trailing_bytes_are_cut_off()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(WithVnet([.. Udp4(s_us, s_pod2, s_payload), 9, 9, 9]));
        WorkerStatus status = rig.Run();
        Assert.Equal(36, Assert.Single(rig.Host.UdpOut).Payload.Length);
        Assert.Equal(1, status.Trimmed);
    }

    [Fact]
    public void A_packet_too_long_for_a_datagram_is_named_so() => AssertDrop("send_too_big", Udp4(s_us, s_pod2, new byte[65_500]));

    [Theory]
    [InlineData(65_495, 65_495)]
    [InlineData(65_495, 65_494)]
    [InlineData(65_480, 65_480)]
    public void A_segment_too_long_for_a_datagram_is_named_so(int payload, int gsoSize)
    {
        using var rig = Rigs.Vxlan();
        rig.Host.TunIn.Enqueue(TcpSuper(s_us, s_pod2, payload, gsoSize));
        WorkerStatus status = rig.Run();
        Assert.Equal(status.Egress.Packets, status.Egress.Drops["send_too_big"]);
        Assert.Empty(rig.Host.UdpOut);
    }

    [Fact]
    public void The_longest_packet_that_fits_a_datagram_leaves()
    {
        using var rig = Rigs.Vxlan();
        rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, new byte[65_507 - 22 - 28])));
        rig.Run();
        Assert.Equal(65_507, Assert.Single(rig.Host.UdpOut).Payload.Length);
    }

    [Fact]
    public void A_deleted_device_stops_reading_until_it_is_back()
    {
        using var rig = Rigs.Udp();
        int lost = 0;
        rig.Worker.OnTunLost = () => lost++;
        rig.Host.TunEmptyError = Errno.EBADFD;
        rig.Run();
        rig.Run();
        Assert.Equal(1, lost);
        Assert.True(rig.Worker.TunLost);
        rig.Host.TunEmptyError = Errno.EAGAIN;
        rig.Host.TunIn.Enqueue(WithVnet(Udp4(s_us, s_pod2, s_payload)));
        rig.Run();
        Assert.Empty(rig.Host.UdpOut);
        rig.Worker.ReattachTun();
        rig.Run();
        Assert.Single(rig.Host.UdpOut);
    }

    private static void AssertDrop(string reason, byte[] packet)
    {
        using var rig = Rigs.Udp();
        rig.Host.TunIn.Enqueue(WithVnet(packet));
        WorkerStatus status = rig.Run();
        Assert.Equal(new Dictionary<string, long> { [reason] = 1 }, status.Egress.Drops);
        Assert.Empty(rig.Host.UdpOut);
    }

    private static UInt128 Ip6(string text) => System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(System.Net.IPAddress.Parse(text).GetAddressBytes());
}
