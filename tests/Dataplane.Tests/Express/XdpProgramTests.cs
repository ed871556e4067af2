using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Dataplane.Tests.Engine.TestPackets;

namespace FlannelFast.Dataplane.Tests.Express;

/// <summary>The program in the driver against the one behind it, which is its twin: it takes TCP alone, of that nothing more and nothing less, and only takes it out.</summary>
public sealed class XdpProgramTests
{
    private static readonly uint s_host2 = Ip("192.0.2.2"), s_us = Ip("10.5.1.7"), s_pod2 = Ip("10.5.2.9");
    private static readonly byte[] s_payload = [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory, InlineData(false, false), InlineData(true, false), InlineData(false, true)]
    public void A_segment_of_a_peer_is_taken_out_and_marked(bool vxlan, bool mixed)
    {
        using var lane = new LaneRig(vxlan, mixed, "192.0.2.2");
        byte[] packet = Tcp4(s_pod2, s_us, 7, 0x10, s_payload), frame = lane.Frame(lane.Encapsulate(packet), s_host2);
        (int verdict, byte[] became) = lane.ReceiveInDriver(frame);
        Assert.Equal(Libc.XDP_PASS, verdict);
        Assert.Equal([.. Mark(lane), .. frame[..LaneRig.EthernetLength], .. packet], became);
        // Counted and one hop older where it is handed over.
        Assert.Equal(new ExpressPathStatus(0, 0, 0), lane.Maps.ReadTotals(LaneDirection.Ingress));
    }

    /// <summary>Every byte of the headers with every single bit wrong. What is left is left as it was.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void No_damaged_header_is_taken(bool vxlan)
    {
        using var lane = new LaneRig(vxlan, false, "192.0.2.2");
        byte[] good = lane.Frame(lane.Encapsulate(Tcp4(s_pod2, s_us, 7, 0x10, s_payload)), s_host2);
        int headers = LaneRig.EthernetLength + lane.Facts.Overhead + 20, sourcePort = LaneRig.EthernetLength + 20, macOfSender = LaneRig.EthernetLength + LaneRig.OuterLength + 8 + 6;
        for (int at = 0; at < headers; at++)
        {
            // Whose frame it is, the program behind looks at; for the others see its tests.
            bool isFree = at < 12 || (vxlan && (at - sourcePort is 0 or 1 || at - macOfSender is >= 0 and < 6));
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] frame = [.. good];
                frame[at] ^= (byte)(1 << bit);
                (int verdict, byte[] left) = lane.ReceiveInDriver(frame);
                Assert.Equal(Libc.XDP_PASS, verdict);
                Assert.True((left.Length < frame.Length) == isFree, $"byte {at}, bit {bit}");
                if (!isFree) Assert.Equal(frame, left);
            }
        }
    }

    [Theory, InlineData(false, false), InlineData(true, false), InlineData(false, true)]
    public void It_takes_the_TCP_that_the_lane_takes(bool vxlan, bool mixed)
    {
        using var lane = new LaneRig(vxlan, mixed, "192.0.2.2", "192.0.2.3");
        var random = new Random(7);
        uint[] sources = [s_pod2, Ip("10.5.2.0"), Ip("10.5.3.1"), Ip("10.5.4.1"), s_us, Ip("0.0.0.0"), Ip("10.4.2.9")];
        uint[] destinations = [s_us, Ip("10.5.1.255"), Ip("10.5.2.9"), Ip("255.255.255.255")];
        uint[] hosts = [s_host2, Ip("192.0.2.3"), Ip("192.0.2.4")];
        byte[] hops = [64, 64, 3, 2, 1, 0, 255], protocols = [6, 6, 6, 17, 1];
        ushort[] fragments = [0, 0x4000, 0x4000, 0x2000, 0x0001];
        int taken = 0;
        for (int i = 0; i < 20_000; i++)
        {
            byte[] body = new byte[random.Next(20, 80)];
            random.NextBytes(body);
            byte[]? options = random.Next(10) == 0 ? [1, 1, 1, 0] : null;
            byte[] packet = Ipv4(Pick(sources), Pick(destinations), Pick(protocols), body, Pick(hops), Pick(fragments), options);
            LaneRig.DamageSometimes(packet, random);
            byte[] frame = lane.Frame(lane.Encapsulate(packet), Pick(hosts));
            if (random.Next(20) == 0) frame = [.. frame, .. new byte[random.Next(1, 8)]];
            (int verdict, byte[] became) = lane.ReceiveInDriver([.. frame]);
            Assert.Equal(Libc.XDP_PASS, verdict);
            bool expected = packet[9] == 6 && lane.Receive([.. frame]).Verdict == ProgramRun.Redirect;
            if (expected) taken++;
            Assert.Equal(expected ? [.. Mark(lane), .. frame[..LaneRig.EthernetLength], .. packet] : frame, became);
        }
        Assert.InRange(taken, 100, 10_000);

        T Pick<T>(T[] from) => from[random.Next(from.Length)];
    }

    /// <summary>What an engine sends has a checksum; what does not fit the underlay is a super-packet, and stays one of a tunnel for the kernel.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Datagrams_of_an_engine_and_super_packets_are_left(bool vxlan)
    {
        using var lane = new LaneRig(vxlan, false, "192.0.2.2");
        byte[] summed = lane.Frame(lane.Encapsulate(Tcp4(s_pod2, s_us, 7, 0x10, s_payload)), s_host2);
        summed[LaneRig.EthernetLength + 26] = 1;
        Assert.Equal(summed, lane.ReceiveInDriver([.. summed]).Frame);
        int room = 1500 - lane.Facts.Overhead - 40;
        foreach (int payload in (int[])[room, room + 1, 2 * room])
        {
            byte[] frame = lane.Frame(lane.Encapsulate(Tcp4(s_pod2, s_us, 7, 0x10, new byte[payload])), s_host2);
            Assert.Equal(payload == room, lane.ReceiveInDriver([.. frame]).Frame.Length < frame.Length);
        }
    }

    private static byte[] Mark(LaneRig lane) => BitConverter.GetBytes(lane.Facts.Mark);
}
