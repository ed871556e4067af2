using System.Buffers.Binary;
using FlannelFast.Dataplane.Encapsulation;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Tests.Packets;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>TCP super-packets of a kernel on this host whose segments nobody told: the worker cuts them to the device's MTU.</summary>
public sealed class UncutSuperPacketTests
{
    private const ulong OurMac = 0x0a0000000001, PeerMac = 0x0a0000000002;
    private const int Mtu = 1450;
    private static readonly uint s_host2 = WorkerRig<IpInUdp>.Host2;

    public static TheoryData<int, int> Headers => new() { { 4, 0 }, { 4, 12 }, { 4, 40 }, { 6, 0 }, { 6, 12 }, { 6, 40 } };

    [Theory, MemberData(nameof(Headers))]
    public void They_reach_the_tun_whole_with_segments_that_fit(int version, int options)
    {
        using WorkerRig<Vxlan> rig = Join();
        (byte[] packet, int headers) = Uncut(version, options, 26_000);
        Enqueue(rig, packet);
        WorkerStatus status = rig.Run();
        int size = Mtu - headers, packets = (26_000 + size - 1) / size;
        Assert.Equal((packets, packets, 1), (status.Ingress.Packets, status.Ingress.Forwarded, status.Ingress.Writes));
        byte[] frame = Assert.Single(rig.Host.TunOut);
        Assert.Equal((1, version == 4 ? 1 : 4, size), (frame[0], frame[1], BinaryPrimitives.ReadUInt16LittleEndian(frame.AsSpan(4))));
        Assert.Equal(packet, frame[VnetSize..]);
    }

    /// <summary>A queue without virtio-net headers, and a kernel that refuses the super-packet: the same segments, complete, one by one.</summary>
    [Theory, InlineData(4, false), InlineData(6, false), InlineData(4, true), InlineData(6, true)]
    public void They_are_cut_here_where_the_tun_takes_none(int version, bool vnetHeader)
    {
        using WorkerRig<Vxlan> rig = Join(options => options with { VnetHeader = vnetHeader, CoalesceTcp = vnetHeader, CoalesceUdp = vnetHeader });
        rig.Host.TunWriteError = frame => vnetHeader && frame[1] != 0 ? Errno.EINVAL : 0;
        (byte[] packet, int headers) = Uncut(version, 12, 26_000);
        Enqueue(rig, packet);
        WorkerStatus status = rig.Run();
        List<byte[]> expected = NaiveSegmenter.Segment(packet, version == 4 ? 20 : 40, Mtu - headers);
        Assert.Equal(expected, rig.Host.TunOut.Select(frame => vnetHeader ? frame[VnetSize..] : frame));
        Assert.Equal((expected.Count, expected.Count), (status.Ingress.Packets, status.Ingress.Forwarded));
    }

    /// <summary>With one hop less, as every packet of flannel's udp format.</summary>
    [Fact]
    public void They_may_come_without_an_ethernet_header()
    {
        using var rig = Rigs.Udp();
        rig.Worker.DeviceMtu = Mtu;
        byte[] packet = Uncut(4, 0, 26_000).Packet;
        rig.Host.UdpIn.Enqueue(new(s_host2, rig.Port, packet));
        rig.Run();
        packet[8]--;
        FixHeaderChecksum(packet);
        Assert.Equal(WithVnet(packet, flags: 1, gsoType: 1, headerLength: 40, gsoSize: Mtu - 40, csumStart: 20, csumOffset: 16), Assert.Single(rig.Host.TunOut));
    }

    [Fact]
    public void They_fit_the_mtu_of_the_moment()
    {
        using var rig = Rigs.Vxlan();
        foreach (int mtu in (int[])[int.MaxValue, 1450, 1350, 8950, 26_040, 26_039])
        {
            // As the rig found it: nobody has told yet.
            if (mtu != int.MaxValue) rig.Worker.DeviceMtu = mtu;
            Enqueue(rig, Uncut(4, 0, 26_000).Packet);
            rig.Run();
            Assert.Equal(mtu >= 26_040 ? 0 : mtu - 40, BinaryPrimitives.ReadUInt16LittleEndian(rig.Host.TunOut[^1].AsSpan(4)));
        }
    }

    [Fact]
    public void A_dropped_one_counts_as_its_segments()
    {
        using WorkerRig<Vxlan> rig = Join();
        byte[] packet = Uncut(4, 0, 14_100).Packet;
        packet[18] = 9;
        FixHeaderChecksum(packet);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(36), (ushort)PseudoSum(packet, 20));
        Enqueue(rig, packet);
        Assert.Equal(10, rig.Run().Ingress.Drops["not_for_us"]);
    }

    /// <summary>With a complete checksum it was sent at this length; whether it fits where it goes is for path MTU discovery to find.</summary>
    [Fact]
    public void A_long_packet_stays_one()
    {
        using WorkerRig<Vxlan> rig = Join();
        byte[] packet = Tcp4(Ip("10.5.2.9"), Ip("10.5.1.7"), 1000, Tcp.Ack, new byte[8000]);
        Enqueue(rig, packet);
        WorkerStatus status = rig.Run();
        Assert.Equal(WithVnet(packet), Assert.Single(rig.Host.TunOut));
        Assert.Equal(1, status.Ingress.Packets);
    }

    private static WorkerRig<Vxlan> Join(Func<WorkerOptions, WorkerOptions>? change = null)
    {
        WorkerRig<Vxlan> rig = Rigs.Vxlan(change: change);
        rig.Worker.DeviceMtu = Mtu;
        return rig;
    }

    private static void Enqueue(WorkerRig<Vxlan> rig, byte[] packet) =>
        rig.Host.UdpIn.Enqueue(new(s_host2, 33333, Vxlan(packet, OurMac, PeerMac, 1, etherType: packet[0] >> 4 == 4 ? 0x0800 : 0x86DD)));

    /// <summary>From host 2's pods to ours, its checksum postponed.</summary>
    private static (byte[] Packet, int Headers) Uncut(int version, int options, int payload)
    {
        byte[] data = new byte[payload];
        new Random(payload).NextBytes(data);
        var spec = new PacketSpec { Version = version, Options = new byte[options], Payload = data };
        byte[] packet = spec.BuildPartial();
        if (version == 4)
        {
            (packet[13], packet[14], packet[17], packet[18]) = (5, 2, 5, 1);
            FixHeaderChecksum(packet);
        }
        else
        {
            (packet[11], packet[27]) = (2, 1);
        }
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(spec.ChecksumField), (ushort)PseudoSum(packet, spec.IpHeaderLength));
        return (packet, spec.HeaderLength);
    }
}
