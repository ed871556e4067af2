using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>
/// A neighbour on the same machine hands over its TCP super-packets uncut, and nobody tells the engine how long their segments are. Forwarded to a pod as one packet each they
/// are too long, and TCP stays at the speed of retransmissions: some Mbit/s.
/// </summary>
public sealed class UncutSuperPacketTests
{
    private const long Bytes = 200_000_000;
    private const double CrawlGigabits = 0.1;

    [Theory]
    [InlineData("10.5.1.5", "on")]
    [InlineData("fd00:5:0:1::5", "on")]
    [InlineData("10.5.1.5", "off")]
    [InlineData("fd00:5:0:1::5", "off")]
    public void They_are_forwarded_to_pods(string address, string tunOffloads)
    {
        using TwoNodes nodes = Join("--tun-offloads", tunOffloads);
        using Netns pod = Pod.Create(nodes, 1, mtu: 1450);
        using (Capture capture = Capture.Start(nodes, 2, "udp port 8472 and greater 3000"))
        {
            TcpTransfer.MustArriveIntact(nodes.Two, pod, address, 5_000_000);
            Assert.NotEmpty(capture.Read("udp.port==8472,vxlan", "vxlan", "frame.len"));
        }
        TcpTransfer.MustArriveIntact(nodes.Two, pod, address, Bytes, seed: 2);
        Assert.InRange(Iperf.TcpGigabits(nodes.Two, pod, address), CrawlGigabits, 1000);
        Check(nodes.Daemons[0]);
    }

    /// <summary>The MTU of the device is that of the underlay, less the headers, whenever the underlay changes.</summary>
    [Fact]
    public void They_are_cut_to_the_mtu_that_the_device_has_now()
    {
        using TwoNodes nodes = Join();
        using Netns pod = Pod.Create(nodes, 1, mtu: 1450);
        TcpTransfer.MustArriveIntact(nodes.Two, pod, "10.5.1.5", Bytes);
        nodes.Two.Ip("link", "set", KernelVxlan.Device, "mtu", "1350");
        foreach (int n in (int[])[1, 2]) nodes.Node(n).Ip("link", "set", "eth0", "mtu", "1400");
        Pod.SetMtu(nodes, 1, pod, 1350);
        Eventually.True(() => nodes.One.Ip("link", "show", "ff0").Output.Contains("mtu 1350 ", StringComparison.Ordinal), TimeSpan.FromSeconds(5), () => nodes.Daemons[0].Log);
        TcpTransfer.MustArriveIntact(nodes.Two, pod, "10.5.1.5", Bytes, seed: 2);
        Assert.InRange(Iperf.TcpGigabits(nodes.Two, pod, "10.5.1.5"), CrawlGigabits, 1000);
        Check(nodes.Daemons[0]);
    }

    /// <summary>The kernel tells the length of UDP segments to sockets that ask for it, and cuts for those that do not: no datagram is ever glued to another.</summary>
    [Theory, InlineData("on"), InlineData("off")]
    public void Those_of_udp_keep_their_datagrams(string udpGro)
    {
        using TwoNodes nodes = Join("--udp-gro", udpGro);
        DatagramExchange.SuperPacketsMustArriveIntact(nodes, 2, 1);
        Check(nodes.Daemons[0]);
    }

    private static TwoNodes Join(params string[] flags)
    {
        TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(1, "vxlan", [.. TwoNodes.Ipv6Flags(1), .. flags]);
        KernelVxlan.Create(nodes, 2);
        KernelVxlan.AddIpv6(nodes, 2);
        return nodes;
    }

    private static void Check(Daemon daemon)
    {
        DaemonStatus status = daemon.Status();
        status.AssertEveryPacketAccountedFor();
        Assert.Equal(0, status.Ingress.Dropped);
        Assert.Equal(0, status.AllocatedBytes);
    }
}
