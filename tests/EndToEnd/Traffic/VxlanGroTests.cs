using System.Text.Json;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>The tunnel's port in the hands of the kernel's VXLAN driver, so that TCP that arrives cut is merged: on an underlay that cuts, and by default.</summary>
public sealed class VxlanGroTests
{
    private const long Bytes = 50_000_000;

    /// <summary>The engine's own packets, too: IPv6, fragments, what has no peer's lane behind it. With several workers each flow keeps its own.</summary>
    [Theory, InlineData(1), InlineData(2)]
    public void The_engine_gets_what_the_lane_leaves(int queues)
    {
        using TwoNodes nodes = TwoNodes.Create(Underlay.WireLike);
        nodes.ExpressLane = "auto";
        foreach (int n in (int[])[1, 2])
        {
            AwaitGro(nodes.StartDaemon(n, "vxlan", [.. TwoNodes.Ipv6Flags(n), "--queues", $"{queues}"]));
        }
        Assert.DoesNotContain("flannelfast-gro", nodes.One.Ip("link").Output, StringComparison.Ordinal);
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2), 10, "-s", "20000");
        Ping.MustAnswer(nodes.One, "fd00:5:0:2::", 10, "-s", "20000");
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes);
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, "fd00:5:0:2::", Bytes);
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, "fd00:5:0:1::", Bytes, seed: 2);
        DatagramExchange.EverySizeMustArriveIntact(nodes, 1, 2);
        DatagramExchange.OrderMustHold(nodes, 1, 2);
        foreach (Daemon daemon in nodes.Daemons)
        {
            DaemonStatus status = daemon.Status();
            status.AssertEveryPacketAccountedFor();
            Assert.Equal(0, status.Ingress.Dropped);
        }
    }

    /// <summary>
    /// GRO merges what an engine sends, too, and IPv6 is always an engine's. Forwarded to a pod, whose interface may take less than the tunnel, the segments must be those that were sent.
    /// </summary>
    [Theory, InlineData("auto", "fd00:5:0:2::5"), InlineData("off", "fd00:5:0:2::5"), InlineData("off", "10.5.2.5")]
    public void Tcp_of_an_engine_is_forwarded_to_pods(string lane, string address)
    {
        using TwoNodes nodes = TwoNodes.Create(Underlay.WireLike);
        foreach (int n in (int[])[1, 2])
        {
            nodes.ExpressLane = n == 1 ? lane : "auto";
            Daemon daemon = nodes.StartDaemon(n, "vxlan", TwoNodes.Ipv6Flags(n));
            if (nodes.ExpressLane == "auto") AwaitGro(daemon);
        }
        using Netns pod = Pod.Create(nodes, 2, mtu: 1400);
        TcpTransfer.MustArriveIntact(nodes.One, pod, address, Bytes);
        foreach (Daemon daemon in nodes.Daemons) daemon.Status().AssertEveryPacketAccountedFor();
        // As many as the sender's: super-packets are counted as the segments that they are.
        Assert.Equal(nodes.Daemons[0].Status().Egress.Forwarded, nodes.Daemons[1].Status().Ingress.Packets);
    }

    /// <summary>The port goes back and forth with the lane, and not a packet is missing.</summary>
    [Fact]
    public void The_port_comes_back_when_the_lane_closes()
    {
        using TwoNodes nodes = Join();
        using var watch = new PingWatch(nodes.One, TwoNodes.OverlayAddress(2));
        for (int round = 0; round < 5; round++)
        {
            Assert.DoesNotContain("flannelfast", Owner(nodes.One), StringComparison.Ordinal);
            nodes.One.Ip("link", "set", "ff0", "promisc", "on");
            Eventually.True(() => Owner(nodes.One).Contains("flannelfast", StringComparison.Ordinal), TimeSpan.FromSeconds(5), () => nodes.Daemons[0].Log);
            nodes.One.Ip("link", "set", "ff0", "promisc", "off");
            AwaitGro(nodes.Daemons[0]);
        }
        watch.MustHaveLostNothing();
    }

    /// <summary>The underlay decides, whenever it is changed.</summary>
    [Fact]
    public void It_follows_the_features_of_the_underlay()
    {
        using TwoNodes nodes = TwoNodes.Create(Underlay.WireLike);
        foreach (int n in (int[])[1, 2]) nodes.Node(n).Run("ethtool", "-K", "eth0", "gro", "off");
        nodes.ExpressLane = "auto";
        foreach (int n in (int[])[1, 2])
        {
            Daemon daemon = nodes.StartDaemon(n, "vxlan");
            Eventually.True(() => Lane(daemon) is var lane && lane.GetProperty("open").GetBoolean() && !lane.GetProperty("tcp").GetBoolean(), TimeSpan.FromSeconds(5), () => daemon.Log);
        }
        foreach (int n in (int[])[1, 2])
        {
            nodes.Node(n).Run("ethtool", "-K", "eth0", "gro", "on");
            // Features are looked at when something else happens on the host, too.
            nodes.Node(n).Ip("link", "set", "eth0", "mtu", "1400");
            AwaitGro(nodes.Daemons[n - 1]);
        }
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes);
    }

    [Fact]
    public void The_underlay_may_go_and_come_back()
    {
        using TwoNodes nodes = Join();
        nodes.One.Ip("address", "del", $"{TwoNodes.UnderlayAddress(1)}/24", "dev", "eth0");
        Eventually.True(() => !Lane(nodes.Daemons[0]).GetProperty("open").GetBoolean(), TimeSpan.FromSeconds(5), () => nodes.Daemons[0].Log);
        nodes.One.Ip("address", "add", $"{TwoNodes.UnderlayAddress(1)}/24", "dev", "eth0");
        AwaitGro(nodes.Daemons[0]);
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes);
        nodes.One.Ip("link", "del", "eth0");
        nodes.One.Ip("link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", nodes.Two.Name);
        foreach (int n in (int[])[1, 2])
        {
            nodes.Node(n).Ip("address", "add", $"{TwoNodes.UnderlayAddress(n)}/24", "dev", "eth0");
            nodes.Node(n).Ip("link", "set", "eth0", "up");
        }
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(5), nodes.One, TwoNodes.OverlayAddress(2));
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes, seed: 2);
    }

    /// <summary>The driver's device dies with the process, some milliseconds late; a new daemon waits for it.</summary>
    [Fact]
    public void A_killed_daemon_leaves_the_port_to_the_next()
    {
        using TwoNodes nodes = Join();
        for (int round = 0; round < 5; round++)
        {
            Daemon killed = nodes.Daemons[^1];
            killed.Signal(Native.SIGKILL);
            Eventually.True(() => !killed.IsRunning, TimeSpan.FromSeconds(5), () => "it lives");
            AwaitGro(nodes.StartDaemon(2, "vxlan"));
            Ping.MustAnswerWithin(TimeSpan.FromSeconds(2), nodes.One, TwoNodes.OverlayAddress(2));
        }
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes);
    }

    /// <summary>A sender whose datagrams arrive in fragments: the driver gets them, until the next audit sees that.</summary>
    [Fact]
    public void Datagrams_in_fragments_end_the_lending()
    {
        using TwoNodes nodes = TwoNodes.Create(Underlay.WireLike);
        nodes.ExpressLane = "auto";
        Daemon daemon = nodes.StartDaemon(1, "vxlan");
        AwaitGro(daemon);
        nodes.ExpressLane = "off";
        nodes.StartDaemon(2, "vxlan");
        nodes.Two.Ip("link", "set", "eth0", "mtu", "1300");
        using var sender = new UdpSocket(nodes.Two, "0.0.0.0", 7001);
        using var receiver = new UdpSocket(nodes.One, "0.0.0.0", 7002);
        byte[] datagram = new byte[1400];
        sender.Send(datagram, TwoNodes.OverlayAddress(1), 7002);
        sender.Send(datagram, TwoNodes.OverlayAddress(1), 7002);
        Eventually.True(() => !Lane(daemon).GetProperty("gro").GetBoolean(), TimeSpan.FromSeconds(40), () => daemon.Log);
        sender.Send(datagram, TwoNodes.OverlayAddress(1), 7002);
        receiver.MustReceive(datagram, "the third datagram");
        Assert.Contains("2 datagrams were lost that came in fragments or by another interface", Lane(daemon).GetProperty("gro_refusal").GetString(), StringComparison.Ordinal);
        Assert.False(Lane(daemon).GetProperty("tcp").GetBoolean());
    }

    [Theory, InlineData("--udp-gro", "off"), InlineData("--source-ports", "1")]
    public void It_can_be_switched_off(string flag, string value)
    {
        using TwoNodes nodes = TwoNodes.Create(Underlay.WireLike);
        nodes.ExpressLane = "auto";
        Daemon daemon = nodes.StartDaemon(1, "vxlan", flag, value);
        Eventually.True(() => Lane(daemon).GetProperty("open").GetBoolean(), TimeSpan.FromSeconds(5), () => daemon.Log);
        Assert.Equal((false, false), (Lane(daemon).GetProperty("gro").GetBoolean(), Lane(daemon).GetProperty("tcp").GetBoolean()));
        Assert.Contains("flannelfast", Owner(nodes.One), StringComparison.Ordinal);
    }

    private static TwoNodes Join()
    {
        TwoNodes nodes = TwoNodes.Create(Underlay.WireLike);
        nodes.ExpressLane = "auto";
        foreach (int n in (int[])[1, 2]) AwaitGro(nodes.StartDaemon(n, "vxlan"));
        return nodes;
    }

    /// <summary>What ss(8) says of the tunnel's port: the driver's socket has no process.</summary>
    private static string Owner(Netns node) => node.Run("ss", "-Huanp", "sport", "=", ":8472").Output;

    private static JsonElement Lane(Daemon daemon) => daemon.Status().ExpressLane;

    private static void AwaitGro(Daemon daemon) => Eventually.True(
        () => Lane(daemon) is var lane && lane.GetProperty("open").GetBoolean() && lane.GetProperty("gro").GetBoolean(),
        TimeSpan.FromSeconds(5), () => $"{Lane(daemon)}\n{daemon.Log}");
}
