using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>What really leaves on a plain network card, read by a program that knows the formats: tshark.</summary>
public sealed class WireFormatTests
{
    // tshark's values of *.checksum.status.
    private const string Good = "1";

    [Fact]
    public void Udp_datagrams_carry_one_bare_ipv4_packet_with_right_checksums()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("udp", Underlay.WireLike);
        using Capture capture = Capture.Start(nodes, 1, "udp and src host 192.0.2.1");
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 5_000_000);

        List<string[]> packets = capture.Read(
            "udp.port==8285,ip", "", "frame.len", "udp.srcport", "udp.dstport", "ip.version", "ip.checksum.status",
            "udp.checksum.status", "tcp.checksum.status", "ip.len", "ip.flags.mf", "_ws.malformed");
        foreach (string[] p in packets)
        {
            int frame = int.Parse(p[0]);
            Assert.InRange(frame, 14 + 28 + 40, 14 + 1500);
            Assert.Equal(("8285", "8285", "4,4"), (p[1], p[2], p[3]));
            Assert.Equal(($"{Good},{Good}", Good, Good), (p[4], p[5], p[6]));
            // Outer and inner length: exactly one inner packet, nothing behind it.
            Assert.Equal($"{frame - 14},{frame - 14 - 28}", p[7]);
            Assert.Equal(("0,0", ""), (p[8].Replace("False", "0", StringComparison.Ordinal), p[9]));
        }
        Assert.True(packets.Count > 5_000_000 / 1472, $"only {packets.Count} packets on the wire");
    }

    [Fact]
    public void Vxlan_datagrams_carry_one_frame_between_the_vteps_with_right_checksums()
    {
        using TwoNodes nodes = TwoNodes.CreateJoined("vxlan", Underlay.WireLike);
        VxlanFramesMustBeRight(nodes);
    }

    /// <summary>The same check passes on what the kernel's device sends: it asks for nothing that is not so.</summary>
    [Fact]
    public void The_kernel_s_own_frames_pass_the_same_check()
    {
        using TwoNodes nodes = TwoNodes.Create(Underlay.WireLike);
        KernelVxlan.Create(nodes, 1);
        KernelVxlan.Create(nodes, 2);
        VxlanFramesMustBeRight(nodes);
    }

    private static void VxlanFramesMustBeRight(TwoNodes nodes)
    {
        using Capture capture = Capture.Start(nodes, 1, "udp and src host 192.0.2.1");
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 5_000_000);

        List<string[]> packets = capture.Read(
            "udp.port==8472,vxlan", "", "frame.len", "udp.dstport", "vxlan.flags", "vxlan.vni", "eth.src", "eth.dst",
            "ip.checksum.status", "udp.checksum.status", "tcp.checksum.status", "ip.len", "_ws.malformed");
        foreach (string[] p in packets)
        {
            int frame = int.Parse(p[0]);
            Assert.InRange(frame, 14 + 50 + 40, 14 + 1500);
            Assert.Equal(("8472", "0x0800", "1"), (p[1], p[2], p[3]));
            Assert.EndsWith("," + TwoNodes.VtepMac(1), p[4], StringComparison.Ordinal);
            Assert.EndsWith("," + TwoNodes.VtepMac(2), p[5], StringComparison.Ordinal);
            Assert.Equal(($"{Good},{Good}", Good, Good), (p[6], p[7], p[8]));
            Assert.Equal(($"{frame - 14},{frame - 14 - 50}", ""), (p[9], p[10]));
        }
        Assert.True(packets.Count > 5_000_000 / 1450, $"only {packets.Count} packets on the wire");
    }
}
