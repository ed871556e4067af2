using System.Net;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Tests.Engine;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Express;

/// <summary>The program in the kernel against the engine, which is its twin: the lane takes nothing that the engine would refuse, and makes the same of it.</summary>
public sealed class IngressProgramTests
{
    private static readonly uint s_host2 = Ip("192.0.2.2"), s_us = Ip("10.5.1.7"), s_pod2 = Ip("10.5.2.9");
    private static readonly byte[] s_payload = [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory, InlineData(false, false), InlineData(true, false), InlineData(false, true)]
    public void A_packet_of_a_peer_is_taken_out_and_counted(bool vxlan, bool mixed)
    {
        using var lane = new LaneRig(vxlan, mixed, "192.0.2.2");
        byte[] packet = Udp4(s_pod2, s_us, s_payload);
        (int verdict, byte[] frame) = lane.Receive(lane.Frame(lane.Encapsulate(packet), s_host2));
        Assert.Equal(ProgramRun.Redirect, verdict);
        Assert.Equal(ByEngine(lane, packet, s_host2), frame[LaneRig.EthernetLength..]);
        Assert.Equal(new ExpressPathStatus(1, packet.Length, 0), lane.Maps.ReadTotals(LaneDirection.Ingress));
        Assert.Equal(new ExpressPathStatus(0, 0, 0), lane.Maps.ReadTotals(LaneDirection.Egress));
    }

    /// <summary>Every byte of the headers with every single bit wrong. What is left to the engine is left as it was.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void No_damaged_header_is_taken(bool vxlan)
    {
        using var lane = new LaneRig(vxlan, false, "192.0.2.2");
        byte[] good = lane.Frame(lane.Encapsulate(Udp4(s_pod2, s_us, s_payload)), s_host2);
        int headers = LaneRig.EthernetLength + lane.Facts.Overhead + 20, sourcePort = LaneRig.EthernetLength + 20, macOfSender = LaneRig.EthernetLength + LaneRig.OuterLength + 8 + 6;
        for (int at = 0; at < headers; at++)
        {
            // Nobody looks at the frame's sender. Any port may send VXLAN, and the sender's inner address is looked at by nobody but to find ourselves.
            bool isFree = at is >= 6 and < 12 || (vxlan && (at - sourcePort is 0 or 1 || at - macOfSender is >= 0 and < 6));
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] frame = [.. good];
                frame[at] ^= (byte)(1 << bit);
                (int verdict, byte[] left) = lane.Receive(frame);
                Assert.True(verdict == (isFree ? ProgramRun.Redirect : ProgramRun.Next), $"byte {at}, bit {bit}: {verdict}");
                if (!isFree) Assert.Equal(frame, left);
            }
        }
    }

    /// <summary>Header fields of all kinds with checksums that fit, against the engine on the same datagram.</summary>
    [Theory, InlineData(false, false), InlineData(true, false), InlineData(false, true)]
    public void The_lane_takes_nothing_that_the_engine_refuses(bool vxlan, bool mixed)
    {
        using var lane = new LaneRig(vxlan, mixed, "192.0.2.2", "192.0.2.3");
        var random = new Random(7);
        uint[] sources = [s_pod2, Ip("10.5.2.0"), Ip("10.5.2.255"), Ip("10.5.3.1"), Ip("10.5.4.1"), s_us, Ip("127.0.0.1"), Ip("0.0.0.0"), Ip("255.255.255.255"), Ip("10.4.2.9")];
        uint[] destinations = [s_us, Ip("10.5.1.0"), Ip("10.5.1.255"), Ip("10.5.2.9"), Ip("10.5.0.7"), Ip("224.0.0.1"), Ip("255.255.255.255"), Ip("10.4.1.7")];
        uint[] hosts = [s_host2, Ip("192.0.2.3"), Ip("192.0.2.4"), Ip("192.0.2.1")];
        byte[] hops = [64, 64, 64, 3, 2, 1, 0, 255];
        ushort[] fragments = [0, 0x4000, 0x8000, 0x2000, 0x0001, 0x3FFF];
        int taken = 0, left = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] body = new byte[random.Next(0, 60)];
            random.NextBytes(body);
            byte[]? options = random.Next(10) == 0 ? [1, 1, 1, 0] : null;
            byte[] packet = Ipv4(Pick(sources), Pick(destinations), (byte)(random.Next(3) == 0 ? 6 : 17), body, Pick(hops), Pick(fragments), options);
            LaneRig.DamageSometimes(packet, random);
            uint host = Pick(hosts);
            byte[] frame = lane.Frame(lane.Encapsulate(packet), host);
            (int verdict, byte[] became) = lane.Receive(frame);
            byte[]? byEngine = ByEngine(lane, packet, host);
            if (verdict == ProgramRun.Redirect)
            {
                taken++;
                Assert.NotNull(byEngine);
                Assert.Equal(byEngine, became[LaneRig.EthernetLength..]);
                continue;
            }
            left++;
            Assert.Equal(ProgramRun.Next, verdict);
            Assert.Equal(frame, became);
            // What is plain and right must not be left: no options, no fragment, nothing behind the packet, UDP with ports.
            bool isPlain = options is null && (packet[9] != 17 || packet.Length >= 24) && ((packet[6] << 8 | packet[7]) & 0x3FFF) == 0 && byEngine?.Length == packet.Length;
            Assert.False(isPlain, $"{Convert.ToHexString(packet)} from {new IPAddress(BitConverter.GetBytes(host).Reverse().ToArray())} is the lane's");
        }
        Assert.InRange(taken, 100, left);

        T Pick<T>(T[] from) => from[random.Next(from.Length)];
    }

    [Fact]
    public void Datagrams_of_an_engine_and_other_lengths_go_to_the_engine()
    {
        using var lane = new LaneRig(false, false, "192.0.2.2");
        byte[] packet = Udp4(s_pod2, s_us, s_payload);
        byte[] good = lane.Frame(packet, s_host2);
        byte[] summed = [.. good];
        summed[LaneRig.EthernetLength + 26] = 1;
        Assert.Equal(ProgramRun.Next, lane.Receive(summed).Verdict);
        Assert.Equal(ProgramRun.Next, lane.Receive([.. good, 0]).Verdict);
        Assert.Equal(ProgramRun.Next, lane.Receive(lane.Frame([.. packet, .. packet], s_host2)).Verdict);
        Assert.Equal(ProgramRun.Next, lane.Receive(lane.Frame(packet, s_host2, sourcePort: 9999)).Verdict);
        // Shorter frames the kernel does not run a program on this way.
        for (int length = LaneRig.EthernetLength + 20; length < good.Length; length++) Assert.Equal(ProgramRun.Next, lane.Receive(good[..length]).Verdict);
    }

    /// <summary>A peer that the lane does not reach inside the subnet of one that it does.</summary>
    [Fact]
    public void A_peer_beside_the_lane_is_the_engines()
    {
        using var lane = new LaneRig(false, false, "192.0.2.3");
        Assert.Equal(ProgramRun.Next, lane.Receive(lane.Frame(Udp4(s_pod2, s_us, s_payload), s_host2)).Verdict);
        Assert.Equal(ProgramRun.Redirect, lane.Receive(lane.Frame(Udp4(Ip("10.5.3.9"), s_us, s_payload), Ip("192.0.2.3"))).Verdict);
        // Although nothing is sent there by it: a host may say later than its packets that its lane is open.
        Assert.Equal(0, lane.Maps.PeerCount);
    }

    /// <summary>What the engine would write to the TUN; null if it refuses.</summary>
    private static byte[]? ByEngine(LaneRig lane, byte[] packet, uint host)
    {
        if (lane.IsVxlan)
        {
            using var vxlan = Rigs.Vxlan();
            return Run(vxlan.Host, vxlan.Run);
        }
        using var udp = Rigs.Udp();
        return Run(udp.Host, udp.Run);

        byte[]? Run(FakeHost fake, Func<WorkerStatus> run)
        {
            fake.UdpIn.Enqueue(new(host, lane.Facts.Port, lane.Encapsulate(packet)));
            run();
            // Frames to the TUN only: answers to a peer leave by the socket.
            return fake.TunOut.Count == 0 ? null : Assert.Single(fake.TunOut)[VnetSize..];
        }
    }
}
