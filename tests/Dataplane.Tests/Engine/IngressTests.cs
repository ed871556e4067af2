using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Engine;

public sealed class IngressTests
{
    private const ulong OurMac = 0x0a0000000001, PeerMac = 0x0a0000000002;
    private static readonly uint s_host2 = WorkerRig<IpInUdp>.Host2;
    private static readonly uint s_us = Ip("10.5.1.7"), s_pod2 = Ip("10.5.2.9");
    private static readonly byte[] s_payload = [1, 2, 3, 4, 5, 6, 7, 8];

    [Fact]
    public void A_packet_from_a_peer_arrives_with_one_hop_less()
    {
        using var rig = Rigs.Udp();
        byte[] packet = Udp4(s_pod2, s_us, s_payload);
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, packet));
        WorkerStatus status = rig.Run();
        packet[8] = 63;
        FixHeaderChecksum(packet);
        Assert.Equal(WithVnet(packet), Assert.Single(rig.Host.TunOut));
        Assert.Equal((1, 1, packet.Length), (status.Ingress.Packets, status.Ingress.Forwarded, status.Ingress.ForwardedBytes));
    }

    /// <summary>Without the switch it is damaged IPv4, as for stock; one that lies about where it comes from is refused like any other.</summary>
    [Theory]
    [InlineData(true, "fd00:2::9", 1, null)]
    [InlineData(true, "fd00:3::9", 0, "spoof_src")]
    [InlineData(false, "fd00:2::9", 0, "bad_version")]
    public void Ipv6_arrives_bare_where_every_peer_is_ours(bool innerIpv6, string source, int arrived, string? dropped)
    {
        using var rig = new WorkerRig<IpInUdp>(new(innerIpv6));
        byte[] packet = Udp6(Ip6(source), Ip6("fd00:1::7"), s_payload);
        rig.Host.UdpIn.Enqueue(new(s_host2, rig.Port, packet));
        WorkerStatus status = rig.Run();
        Assert.Equal(Enumerable.Repeat(WithVnet(packet), arrived), rig.Host.TunOut);
        Assert.Equal(dropped, status.Ingress.Drops.Keys.SingleOrDefault());
    }

    [Fact]
    public void Vxlan_leaves_the_ttl_alone_and_trims_ethernet_padding()
    {
        using var rig = Rigs.Vxlan();
        byte[] packet = Udp4(s_pod2, s_us, s_payload, ttl: 1);
        rig.Host.UdpIn.Enqueue(new(s_host2, 54321, [.. Vxlan(packet, OurMac, PeerMac, 1), 0, 0, 0, 0]));
        WorkerStatus status = rig.Run();
        Assert.Equal(WithVnet(packet), Assert.Single(rig.Host.TunOut));
        Assert.Equal(1, status.Trimmed);
    }

    [Fact]
    public void A_merged_message_is_cut_exactly_and_its_segments_arrive_as_one_super_packet()
    {
        using var rig = Rigs.Udp();
        byte[][] packets = [.. Enumerable.Range(0, 5).Select(i => Tcp4(s_pod2, s_us, (uint)(1000 + 1000 * i), 0x10, new byte[i < 4 ? 1000 : 300]))];
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, [.. packets.SelectMany(packet => packet)], GroSize: 1040));
        WorkerStatus status = rig.Run();
        Assert.Equal((5, 5, 1), (status.Ingress.Packets, status.Ingress.Forwarded, status.Ingress.Writes));
        Assert.Equal(packets.Sum(packet => packet.Length), status.Ingress.ForwardedBytes);
        byte[] frame = Assert.Single(rig.Host.TunOut);
        Assert.Equal((1, 1, 1000), (frame[0], frame[1], frame[4] | frame[5] << 8));
        Assert.Equal(VnetSize + 40 + 4300, frame.Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(100_000)]
    public void A_nonsense_segment_size_means_one_datagram(int groSize)
    {
        using var rig = Rigs.Udp();
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, Udp4(s_pod2, s_us, s_payload), groSize));
        Assert.Equal(1, rig.Run().Ingress.Forwarded);
    }

    [Fact]
    public void A_segment_size_of_one_byte_gives_one_short_datagram_per_byte()
    {
        using var rig = Rigs.Udp();
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, Udp4(s_pod2, s_us, s_payload), GroSize: 1));
        Assert.Equal(36, rig.Run().Ingress.Drops["short"]);
    }

    [Fact]
    public void An_uncut_super_packet_of_a_kernel_on_this_host_is_passed_on_whole()
    {
        using var rig = Rigs.Vxlan();
        byte[] super = TcpSuper(s_pod2, s_us, payload: 26_000, gsoSize: 1300)[VnetSize..];
        rig.Host.UdpIn.Enqueue(new(s_host2, 33333, Vxlan(super, OurMac, PeerMac, 1), GroSize: 1300));
        WorkerStatus status = rig.Run();
        Assert.Equal((20, 20, 1), (status.Ingress.Packets, status.Ingress.Forwarded, status.Ingress.Writes));
        byte[] frame = Assert.Single(rig.Host.TunOut);
        Assert.Equal((1, 1, 1300), (frame[0], frame[1], frame[4] | frame[5] << 8));
        Assert.Equal(super, frame[VnetSize..]);
    }

    [Fact]
    public void An_uncut_super_packet_may_have_segments_smaller_than_its_headers()
    {
        using var rig = Rigs.Vxlan();
        byte[] super = Udp4(s_pod2, s_us, new byte[370]);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(super.AsSpan(26), (ushort)PseudoSum(super, 20));
        rig.Host.UdpIn.Enqueue(new(s_host2, 33333, Vxlan(super, OurMac, PeerMac, 1), GroSize: 37));
        WorkerStatus status = rig.Run();
        Assert.Equal((10, 10, 1), (status.Ingress.Packets, status.Ingress.Forwarded, status.Ingress.Writes));
        byte[] frame = Assert.Single(rig.Host.TunOut);
        Assert.Equal((1, 5, 37), (frame[0], frame[1], frame[4] | frame[5] << 8));
    }

    [Fact]
    public void A_lying_length_does_not_glue_datagrams_together()
    {
        using var rig = Rigs.Udp();
        byte[] liar = Udp4(s_pod2, s_us, s_payload);
        liar[3] = 100;
        FixHeaderChecksum(liar);
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, [.. liar, .. Udp4(s_pod2, s_us, s_payload)], GroSize: 36));
        WorkerStatus status = rig.Run();
        Assert.Equal(1, status.Ingress.Drops["bad_len"]);
        Assert.Equal(1, status.Ingress.Forwarded);
    }

    public static TheoryData<string, byte[]> HostileInUdp()
    {
        byte[] good = Udp4(s_pod2, s_us, s_payload);
        byte[] Changed(int at, byte value, bool fix = true)
        {
            byte[] packet = [.. good];
            packet[at] = value;
            if (fix && at < 20) FixHeaderChecksum(packet);
            return packet;
        }
        return new()
        {
            { "short", [] },
            { "short", [0x45] },
            { "short", good[..19] },
            { "bad_version", Changed(0, 0x65, fix: false) },
            { "bad_version", Changed(0, 0x05, fix: false) },
            { "bad_version", Udp6(1, 2, s_payload) },
            { "bad_ihl", Changed(0, 0x40, fix: false) },
            { "bad_ihl", Changed(0, 0x44, fix: false) },
            { "bad_ihl", Changed(0, 0x4F, fix: false) },
            { "bad_len", Changed(3, 0) },
            { "bad_len", Changed(3, 19) },
            { "bad_len", Changed(3, 37) },
            { "bad_len", Changed(2, 0xFF) },
            { "bad_csum", Changed(10, (byte)(good[10] ^ 1), fix: false) },
            { "ttl", Udp4(s_pod2, s_us, s_payload, ttl: 0) },
            { "ttl", Udp4(s_pod2, s_us, s_payload, ttl: 1) },
            { "spoof_src", Udp4(Ip("10.5.3.9"), s_us, s_payload) },
            { "spoof_src", Udp4(Ip("8.8.8.8"), s_us, s_payload) },
            { "reflect", Udp4(Ip("10.5.1.9"), s_us, s_payload) },
            { "not_for_us", Udp4(s_pod2, Ip("8.8.8.8"), s_payload) },
            { "not_for_us", Udp4(s_pod2, Ip("192.0.2.1"), s_payload) },
            { "not_for_us", Udp4(s_pod2, Ip("10.5.2.10"), s_payload) },
            { "bad_dst", Udp4(s_pod2, Ip("127.0.0.1"), s_payload) },
            { "bad_dst", Udp4(s_pod2, Ip("169.254.169.254"), s_payload) },
            { "bad_dst", Udp4(s_pod2, Ip("224.0.0.251"), s_payload) },
            { "bad_dst", Udp4(s_pod2, Ip("255.255.255.255"), s_payload) },
            { "bad_dst", Udp4(s_pod2, Ip("0.0.0.0"), s_payload) },
            { "bad_dst", Udp4(s_pod2, Ip("240.0.0.1"), s_payload) },
            { "bad_src", Udp4(Ip("127.0.0.1"), s_us, s_payload) },
            { "bad_src", Udp4(Ip("239.1.1.1"), s_us, s_payload) },
            { "bad_src", Udp4(Ip("255.255.255.255"), s_us, s_payload) },
            { "bad_src", Udp4(0, s_us, s_payload) },
            { "srcroute", Ipv4(s_pod2, s_us, 17, s_payload, options: [131, 7, 4, 10, 5, 1, 1, 0]) },
            { "srcroute", Ipv4(s_pod2, s_us, 17, s_payload, options: [1, 137, 7, 4, 10, 5, 1, 1]) },
            { "bad_options", Ipv4(s_pod2, s_us, 17, s_payload, options: [7, 0, 0, 0]) },
            { "bad_options", Ipv4(s_pod2, s_us, 17, s_payload, options: [7, 5, 0, 0]) },
            { "bad_options", Ipv4(s_pod2, s_us, 17, s_payload, options: [1, 1, 1, 7]) },
            { "frag_overflow", Ipv4(s_pod2, s_us, 17, new byte[100], fragment: 0x1FFF) },
        };
    }

    [Theory]
    [MemberData(nameof(HostileInUdp))]
    public void Hostile_packets_end_in_the_counter_that_names_them(string reason, byte[] datagram)
    {
        using var rig = Rigs.Udp();
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, datagram));
        WorkerStatus status = rig.Run();
        Assert.Equal(new Dictionary<string, long> { [reason] = 1 }, status.Ingress.Drops);
        Assert.Empty(rig.Host.TunOut);
    }

    [Theory]
    [InlineData(new byte[] { 7, 7, 4, 0, 0, 0, 0, 0 })] // record route
    [InlineData(new byte[] { 68, 4, 5, 0 })] // timestamp
    [InlineData(new byte[] { 1, 1, 1, 0 })]
    public void Harmless_options_pass(byte[] options)
    {
        using var rig = Rigs.Udp();
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, Ipv4(s_pod2, s_us, 47, s_payload, options: options)));
        Assert.Equal(1, rig.Run().Ingress.Forwarded);
    }

    [Fact]
    public void Fragments_pass_untouched_but_for_the_ttl()
    {
        using var rig = Rigs.Udp();
        byte[] fragment = Ipv4(s_pod2, s_us, 17, new byte[1000], fragment: 0x2010);
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, fragment));
        rig.Run();
        Assert.Equal(fragment[12..], rig.Host.TunOut[0][(VnetSize + 12)..]);
    }

    [Theory]
    [InlineData("192.0.2.77", 8285, "unknown_peer")]
    [InlineData("192.0.2.2", 8286, "wrong_port")]
    public void Strangers_and_strange_ports_are_refused(string source, int port, string reason)
    {
        using var rig = Rigs.Udp();
        rig.Host.UdpIn.Enqueue(new(Ip(source), port, Udp4(s_pod2, s_us, s_payload)));
        Assert.Equal(1, rig.Run().Ingress.Drops[reason]);
    }

    [Fact]
    public void Without_source_check_anybody_may_send_anything_for_us()
    {
        using var rig = Rigs.Udp(options => options with { SourceCheck = SourceCheck.Off });
        rig.Host.UdpIn.Enqueue(new(Ip("192.0.2.77"), 9, Udp4(Ip("8.8.8.8"), s_us, s_payload)));
        rig.Host.UdpIn.Enqueue(new(Ip("192.0.2.77"), 9, Udp4(Ip("8.8.8.8"), Ip("9.9.9.9"), s_payload)));
        WorkerStatus status = rig.Run();
        Assert.Equal(1, status.Ingress.Forwarded);
        Assert.Equal(1, status.Ingress.Drops["not_for_us"]);
    }

    [Fact]
    public void With_peer_check_a_peer_may_use_any_source_but_ours()
    {
        using var rig = Rigs.Udp(options => options with { SourceCheck = SourceCheck.Peer });
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, Udp4(Ip("8.8.8.8"), s_us, s_payload)));
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, Udp4(Ip("10.5.1.1"), s_us, s_payload)));
        rig.Host.UdpIn.Enqueue(new(Ip("192.0.2.77"), 8285, Udp4(s_pod2, s_us, s_payload)));
        WorkerStatus status = rig.Run();
        Assert.Equal(1, status.Ingress.Forwarded);
        Assert.Equal((1, 1), (status.Ingress.Drops["reflect"], status.Ingress.Drops["unknown_peer"]));
    }

    [Fact]
    public void A_cut_datagram_is_never_forwarded()
    {
        using var rig = Rigs.Udp();
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, Udp4(s_pod2, s_us, s_payload), Truncated: true));
        Assert.Equal(1, rig.Run().Ingress.Drops["too_big"]);
    }

    public static TheoryData<string, byte[]> HostileInVxlan()
    {
        byte[] inner = Udp4(s_pod2, s_us, s_payload);
        byte[] good = Vxlan(inner, OurMac, PeerMac, 1);
        return new()
        {
            { "short", good[..7] },
            { "short", good[..8] },
            { "short", good[..21] },
            { "short", good[..22] },
            { "bad_flags", Vxlan(inner, OurMac, PeerMac, 1, flags: 0) },
            { "wrong_vni", Vxlan(inner, OurMac, PeerMac, 0) },
            { "wrong_vni", Vxlan(inner, OurMac, PeerMac, 2) },
            { "wrong_vni", Vxlan(inner, OurMac, PeerMac, 0xFFFFFF) },
            { "wrong_mac", Vxlan(inner, 0x0a0000000003, PeerMac, 1) },
            { "wrong_mac", Vxlan(inner, 0xFFFFFFFFFFFF, PeerMac, 1) },
            { "loop", Vxlan(inner, OurMac, OurMac, 1) },
            { "not_ip", Vxlan(inner, OurMac, PeerMac, 1, etherType: 0x0806) },
            { "not_ip", Vxlan(inner, 0xFFFFFFFFFFFF, PeerMac, 1, etherType: 0x0806) },
            { "not_ip", Vxlan(inner, OurMac, PeerMac, 1, etherType: 0x8100) },
            { "bad_version", Vxlan(Udp4(s_pod2, s_us, new byte[20]), OurMac, PeerMac, 1, etherType: 0x86DD) },
            { "not_for_us", Vxlan(Udp4(s_pod2, Ip("192.0.2.1"), good), OurMac, PeerMac, 1) },
            { "bad_dst", Vxlan(Udp6(Ip6("fd00:2::9"), Ip6("ff02::1"), s_payload), OurMac, PeerMac, 1, etherType: 0x86DD) },
            { "bad_dst", Vxlan(Udp6(Ip6("fd00:2::9"), Ip6("fe80::1"), s_payload), OurMac, PeerMac, 1, etherType: 0x86DD) },
            { "bad_dst", Vxlan(Udp6(Ip6("fd00:2::9"), 1, s_payload), OurMac, PeerMac, 1, etherType: 0x86DD) },
            { "bad_src", Vxlan(Udp6(0, Ip6("fd00:1::9"), s_payload), OurMac, PeerMac, 1, etherType: 0x86DD) },
            { "bad_src", Vxlan(Udp6(Ip6("::ffff:10.5.2.9"), Ip6("fd00:1::9"), s_payload), OurMac, PeerMac, 1, etherType: 0x86DD) },
            { "spoof_src", Vxlan(Udp6(Ip6("fd00:3::9"), Ip6("fd00:1::9"), s_payload), OurMac, PeerMac, 1, etherType: 0x86DD) },
            { "reflect", Vxlan(Udp6(Ip6("fd00:1::8"), Ip6("fd00:1::9"), s_payload), OurMac, PeerMac, 1, etherType: 0x86DD) },
            { "ttl", Vxlan(Udp6(Ip6("fd00:2::8"), Ip6("fd00:1::9"), s_payload, hopLimit: 0), OurMac, PeerMac, 1, etherType: 0x86DD) },
            { "ttl", Vxlan(Udp4(s_pod2, s_us, s_payload, ttl: 0), OurMac, PeerMac, 1) },
        };
    }

    [Theory]
    [MemberData(nameof(HostileInVxlan))]
    public void Hostile_frames_end_in_the_counter_that_names_them(string reason, byte[] datagram)
    {
        using var rig = Rigs.Vxlan();
        rig.Host.UdpIn.Enqueue(new(s_host2, 40000, datagram));
        WorkerStatus status = rig.Run();
        Assert.Equal(new Dictionary<string, long> { [reason] = 1 }, status.Ingress.Drops);
        Assert.Empty(rig.Host.TunOut);
    }

    [Fact]
    public void Each_of_the_reserved_bits_is_refused_as_the_kernel_does_unless_told_to_ignore_them()
    {
        byte[] good = Vxlan(Udp4(s_pod2, s_us, s_payload), OurMac, PeerMac, 1);
        foreach (bool ignore in new[] { false, true })
        {
            using var rig = Rigs.Vxlan(ignore);
            int reserved = 0;
            for (int bit = 0; bit < 64; bit++)
            {
                bool isVniFlag = bit == 4, isVni = bit is >= 32 and < 56;
                if (isVniFlag || isVni) continue;
                reserved++;
                byte[] packet = [.. good];
                packet[bit / 8] |= (byte)(0x80 >> bit % 8);
                rig.Host.UdpIn.Enqueue(new(s_host2, 40000, packet));
            }
            Assert.Equal(39, reserved);
            WorkerStatus status = rig.Run();
            Assert.Equal(ignore ? 39 : 0, status.Ingress.Forwarded);
            Assert.Equal(ignore ? 0 : 39, status.Ingress.Drops.GetValueOrDefault("bad_flags"));
        }
    }

    [Fact]
    public void An_expired_hop_is_answered_through_the_tunnel_in_our_devices_name()
    {
        using var rig = Rigs.Udp();
        byte[] packet = Udp4(s_pod2, s_us, s_payload, ttl: 1);
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, packet));
        WorkerStatus status = rig.Run();
        Datagram answer = Assert.Single(rig.Host.UdpOut);
        Assert.Equal(s_host2, answer.Address);
        Assert.Equal((11, 0), (answer.Payload[20], answer.Payload[21]));
        Assert.Equal(packet, answer.Payload[28..]);
        Assert.Equal(Ip("10.5.1.0"), System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(answer.Payload.AsSpan(12)));
        Assert.Equal(s_pod2, System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(answer.Payload.AsSpan(16)));
        Assert.Equal(1, status.IcmpSent);
        Assert.Equal(0, status.Egress.Packets);
    }

    [Theory]
    [InlineData(Errno.EIO, "tun_down")]
    [InlineData(Errno.EBADFD, "tun_gone")]
    [InlineData(Errno.ENOBUFS, "tun_full")]
    [InlineData(Errno.EAGAIN, "tun_full")]
    [InlineData(Errno.EINVAL, "tun_refused")]
    public void A_frame_the_tun_refuses_is_counted(int errno, string reason)
    {
        using var rig = Rigs.Udp();
        rig.Host.TunWriteError = _ => errno;
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, Udp4(s_pod2, s_us, s_payload)));
        Assert.Equal(1, rig.Run().Ingress.Drops[reason]);
    }

    [Fact]
    public void A_kernel_that_refuses_super_packets_gets_single_ones_and_nothing_is_lost()
    {
        using var rig = Rigs.Udp();
        rig.Host.TunWriteError = frame => frame[1] != 0 ? Errno.EINVAL : 0;
        AssertSinglesArrive(rig);
    }

    [Fact]
    public void A_plain_tun_gets_single_packets_without_header()
    {
        using var rig = Rigs.Udp(options => options with { VnetHeader = false, CoalesceTcp = false, CoalesceUdp = false });
        AssertSinglesArrive(rig, vnet: 0);
    }

    private static void AssertSinglesArrive(WorkerRig<IpInUdp> rig, int vnet = VnetSize)
    {
        byte[][] packets = [.. Enumerable.Range(0, 5).Select(i => Tcp4(s_pod2, s_us, (uint)(1000 + 1000 * i), 0x10, new byte[1000]))];
        rig.Host.UdpIn.Enqueue(new(s_host2, 8285, [.. packets.SelectMany(packet => packet)], GroSize: 1040));
        WorkerStatus status = rig.Run();
        Assert.Equal((5, 5, 5), (status.Ingress.Packets, status.Ingress.Forwarded, status.Ingress.Writes));
        for (int i = 0; i < 5; i++)
        {
            Assert.True(ChecksumsAreRight(rig.Host.TunOut[i].AsSpan(vnet)));
            Assert.Equal(packets[i][20..36], rig.Host.TunOut[i][(vnet + 20)..(vnet + 36)]);
        }
    }

    private static UInt128 Ip6(string text) => System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(System.Net.IPAddress.Parse(text).GetAddressBytes());
}
