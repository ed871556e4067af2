using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>FlannelFast on node 1, the kernel's VXLAN device as flannel configures it on node 2.</summary>
public sealed class KernelVxlanTests
{
    private const long Bytes = 200_000_000;

    [Theory]
    [InlineData(nameof(Underlay.Veth), "udpcsum", "off")]
    [InlineData(nameof(Underlay.Veth), "noudpcsum", "off")]
    [InlineData(nameof(Underlay.WireLike), "udpcsum", "off")]
    [InlineData(nameof(Underlay.WireLike), "noudpcsum", "off")]
    [InlineData(nameof(Underlay.Veth), "udpcsum", "on")]
    [InlineData(nameof(Underlay.Veth), "noudpcsum", "on")]
    [InlineData(nameof(Underlay.WireLike), "noudpcsum", "on")]
    [InlineData(nameof(Underlay.WireLike), "udpcsum", "auto")]
    public void Both_understand_each_other(string underlay, string checksums, string expressLane)
    {
        using TwoNodes nodes = TwoNodes.Create(Enum.Parse<Underlay>(underlay));
        nodes.ExpressLane = expressLane;
        Daemon daemon = nodes.StartDaemon(1, "vxlan");
        KernelVxlan.Create(nodes, 2, checksums);

        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        Ping.MustAnswer(nodes.Two, TwoNodes.OverlayAddress(1));
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes);
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes, seed: 2);
        DatagramExchange.EverySizeMustArriveIntact(nodes, 1, 2);
        DatagramExchange.EverySizeMustArriveIntact(nodes, 2, 1);
        DatagramExchange.SuperPacketsMustArriveIntact(nodes, 1, 2);
        DatagramExchange.SuperPacketsMustArriveIntact(nodes, 2, 1);

        DaemonStatus status = daemon.Status();
        status.AssertEveryPacketAccountedFor();
        Assert.Equal(0, status.Ingress.Dropped);
    }

    /// <summary>
    /// A kernel sender on the same host hands over its tunnel super-packets unsegmented: one VXLAN header and one inner packet
    /// beyond the MTU. That the situation is there at all is checked on the underlay, by the size of the frames.
    /// </summary>
    [Theory, InlineData("udpcsum"), InlineData("noudpcsum")]
    public void Unsegmented_super_packets_of_a_kernel_sender_arrive_fast(string checksums)
    {
        using TwoNodes nodes = TwoNodes.Create();
        Daemon daemon = nodes.StartDaemon(1, "vxlan");
        KernelVxlan.Create(nodes, 2, checksums);

        using (Capture capture = Capture.Start(nodes, 2, "udp port 8472 and greater 3000"))
        {
            TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), 5_000_000);
            Assert.NotEmpty(capture.Read("udp.port==8472,vxlan", "vxlan", "frame.len"));
        }
        // A path that loses or corrupts them works, if at all, at the speed of retransmissions: some Mbit/s.
        Assert.InRange(Iperf.TcpGigabits(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), seconds: 2), 0.5, 1000);
        Assert.Equal(0, daemon.Status().Ingress.Dropped);
    }
}
