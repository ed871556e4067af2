using System.Text.Json;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>Packets that pass inside the kernel, beside those that go through the engine.</summary>
public sealed class ExpressLaneTests
{
    private const long Bytes = 50_000_000;

    public static TheoryData<string, string, string, string> Mixtures
    {
        get
        {
            var mixtures = new TheoryData<string, string, string, string>();
            foreach (string encap in (string[])["udp", "vxlan"])
            {
                foreach (string underlay in (string[])[nameof(Underlay.Veth), nameof(Underlay.WireLike)])
                {
                    mixtures.Add(encap, underlay, "auto", "auto");
                    mixtures.Add(encap, underlay, "on", "on");
                    mixtures.Add(encap, underlay, "on", "off");
                }
            }
            return mixtures;
        }
    }

    /// <summary>One end with a lane, the other with or without: the wire is the same.</summary>
    [Theory, MemberData(nameof(Mixtures))]
    public void Everything_arrives_intact(string encap, string underlay, string one, string two)
    {
        using TwoNodes nodes = Join(encap, one, two, Enum.Parse<Underlay>(underlay));
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        Ping.MustAnswer(nodes.Two, TwoNodes.OverlayAddress(1), 10, "-s", "20000");
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes);
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes, seed: 2);
        DatagramExchange.EverySizeMustArriveIntact(nodes, 1, 2);
        DatagramExchange.EverySizeMustArriveIntact(nodes, 2, 1);
        DatagramExchange.SuperPacketsMustArriveIntact(nodes, 1, 2);
        DatagramExchange.SuperPacketsMustArriveIntact(nodes, 2, 1);
        DatagramExchange.OrderMustHold(nodes, 1, 2);
        foreach (Daemon daemon in nodes.Daemons)
        {
            DaemonStatus status = daemon.Status();
            status.AssertEveryPacketAccountedFor();
            Assert.Equal((0, 0), (status.Egress.Dropped, status.Ingress.Dropped));
        }
        // With udp a lane is for hosts that have one, too; with vxlan the other end is as good as the kernel's device. 1,400 datagrams each way, ten or more answers.
        JsonElement lane = Lane(nodes.Daemons[0]);
        bool isUsed = two != "off" || encap == "vxlan";
        Assert.Equal(isUsed, lane.GetProperty("egress").GetProperty("forwarded").GetInt64() >= 1400);
        Assert.Equal(two != "off", lane.GetProperty("ingress").GetProperty("forwarded").GetInt64() > 1400);
        // What TCP took: 50 MB are 35,000 packets and more. Where they are cut, the VXLAN driver's GRO merges them, or a program in the interface's driver has it done.
        bool isCut = underlay == nameof(Underlay.WireLike), isVxlan = encap == "vxlan", tcp = one == "on" || !isCut || isVxlan;
        Assert.Equal(
            (tcp, tcp && isCut && !isVxlan, isCut && isVxlan),
            (lane.GetProperty("tcp").GetBoolean(), lane.GetProperty("xdp").GetBoolean(), lane.GetProperty("gro").GetBoolean()));
        Assert.Equal(tcp && isUsed, lane.GetProperty("egress").GetProperty("forwarded").GetInt64() > 30_000);
        Assert.Equal(tcp && two != "off", lane.GetProperty("ingress").GetProperty("forwarded").GetInt64() > 30_000);
    }

    /// <summary>The host gets few large packets and not one for each segment: that is what the program in the driver is for, and the VXLAN driver's GRO. Jumbo frames come in several buffers.</summary>
    [Theory, InlineData("udp", 1500), InlineData("vxlan", 1500), InlineData("udp", 9000), InlineData("vxlan", 9000)]
    public void Segments_are_merged_before_the_host_sees_them(string encap, int mtu)
    {
        using TwoNodes nodes = TwoNodes.Create(Underlay.WireLike);
        foreach (int n in (int[])[1, 2]) nodes.Node(n).Ip("link", "set", "eth0", "mtu", $"{mtu}");
        nodes.ExpressLane = "on";
        foreach (int n in (int[])[1, 2]) AwaitOpen(nodes.StartDaemon(n, encap));
        Meet(nodes);
        long before = Received(nodes.Two);
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), Bytes);
        long segments = Lane(nodes.Daemons[1]).GetProperty("ingress").GetProperty("forwarded").GetInt64();
        Assert.InRange(segments, Bytes / mtu, long.MaxValue);
        Assert.InRange(Received(nodes.Two) - before, 1, segments / 2);
        // Nobody else on the interface notices.
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.UnderlayAddress(2), Bytes);
        Assert.Equal((0, 0), (nodes.Daemons[1].Status().Ingress.Dropped, Lane(nodes.Daemons[1]).GetProperty("ingress").GetProperty("failed").GetInt64()));

        static long Received(Netns node) => long.Parse(node.Run("nstat", "-asz", "IpInReceives").Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[^2]);
    }

    /// <summary>What is captured there was on the wire. Not a packet is missing on the way.</summary>
    [Fact]
    public void The_program_in_the_driver_steps_aside_for_a_capture_on_the_underlay()
    {
        using TwoNodes nodes = Join("udp", "on", "on", Underlay.WireLike);
        using var watch = new PingWatch(nodes.One, TwoNodes.OverlayAddress(2));
        nodes.One.Ip("link", "set", "eth0", "promisc", "on");
        Eventually.True(() => Lane(nodes.Daemons[0]) is var lane && lane.GetProperty("open").GetBoolean() && !lane.GetProperty("xdp").GetBoolean(),
            TimeSpan.FromSeconds(5), () => $"{Lane(nodes.Daemons[0])}");
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes);
        nodes.One.Ip("link", "set", "eth0", "promisc", "off");
        Eventually.True(() => Lane(nodes.Daemons[0]).GetProperty("xdp").GetBoolean(), TimeSpan.FromSeconds(5), () => $"{Lane(nodes.Daemons[0])}");
        watch.MustHaveLostNothing();
    }

    /// <summary>A driver has room for one program: another tunnel of the same host does without, and says why.</summary>
    [Fact]
    public void A_second_tunnel_does_without_the_program_in_the_driver()
    {
        using TwoNodes nodes = Join("udp", "on", "on", Underlay.WireLike);
        Daemon second = nodes.Own(Daemon.Start(
            nodes.One, $"{nodes.Directory}/second.sock", "--socket", $"{nodes.Directory}/second.sock", "--device", "ff9", "--local", TwoNodes.UnderlayAddress(1), "--network", "10.9.0.0/16", "--subnet", "10.9.1.0/24", "--encap", "udp", "--port", "8299", "--express-lane", "on"));
        AwaitOpen(second);
        Assert.False(Lane(second).GetProperty("xdp").GetBoolean());
        Assert.Contains("cannot attach an XDP program to the driver", Lane(second).GetProperty("xdp_refusal").GetString(), StringComparison.Ordinal);
        TcpTransfer.MustArriveIntact(nodes.Two, nodes.One, TwoNodes.OverlayAddress(1), Bytes);
    }

    /// <summary>Both see the packets: the peer's counters are those of the lane and the engine together.</summary>
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void Peers_count_what_takes_the_lane(string encap)
    {
        using TwoNodes nodes = Join(encap, "on", "on");
        (long sent, long received) = Counts();
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2), 10);
        (long sentThen, long receivedThen) = Counts();
        // Not more than some hellos beside the pings.
        Assert.InRange(sentThen - sent, 10, 20);
        Assert.InRange(receivedThen - received, 10, 20);

        (long Sent, long Received) Counts()
        {
            JsonElement peer = nodes.Daemons[0].Status().Root.GetProperty("peers")[0];
            return (peer.GetProperty("egress_packets").GetInt64(), peer.GetProperty("ingress_packets").GetInt64());
        }
    }

    /// <summary>A hop that is used up, a peer that is gone, a packet that does not fit: the engine's, as ever.</summary>
    [Fact]
    public void What_is_not_ordinary_is_the_engines()
    {
        using TwoNodes nodes = Join("udp", "on", "on");
        Assert.Contains("Time to live exceeded", nodes.One.Try("ping", "-c", "1", "-W", "1", "-t", "1", TwoNodes.OverlayAddress(2)).Output, StringComparison.Ordinal);
        Assert.Equal(1, nodes.Daemons[0].Status().Egress.DropsFor("ttl"));
        // The underlay's MTU falls behind the tunnel's: the engine's datagrams may be fragmented, the lane's could not.
        nodes.Two.Ip("link", "set", "eth0", "mtu", "1300");
        nodes.One.Ip("link", "set", "eth0", "mtu", "1300");
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(5), nodes.One, TwoNodes.OverlayAddress(2));
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2), 10, "-s", "1244", "-M", "do");
        nodes.Daemons[0].Client("peer", "del", "10.5.2.0/24").OrThrow();
        Assert.Contains("Destination Net Unreachable", nodes.One.Try("ping", "-c", "1", "-W", "1", TwoNodes.OverlayAddress(2)).Output, StringComparison.Ordinal);
        Assert.Equal(0, Lane(nodes.Daemons[0]).GetProperty("peers").GetInt32());
    }

    /// <summary>Over an underlay that is no Ethernet by its MTU: the kernel lets a program put headers in front of some 16,000 bytes, and of no more.</summary>
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void No_size_falls_into_a_gap(string encap)
    {
        using TwoNodes nodes = TwoNodes.Create();
        foreach (int n in (int[])[1, 2]) nodes.Node(n).Ip("link", "set", "eth0", "mtu", "65535");
        nodes.ExpressLane = "on";
        foreach (int n in (int[])[1, 2]) AwaitOpen(nodes.StartDaemon(n, encap));
        Meet(nodes);
        for (int size = 14_960; size < 16_080; size += 7) Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2), 1, "-s", $"{size}");
        Assert.Equal(0, Lane(nodes.Daemons[0]).GetProperty("egress").GetProperty("failed").GetInt64());
    }

    /// <summary>As the engine does: a flow has one port, and all have the tunnel's where a firewall asks for it.</summary>
    [Theory, InlineData(1), InlineData(8)]
    public void Vxlan_flows_have_source_ports_of_their_own(int ports)
    {
        const int flows = 40;
        using TwoNodes nodes = TwoNodes.Create();
        nodes.ExpressLane = "on";
        foreach (int n in (int[])[1, 2]) AwaitOpen(nodes.StartDaemon(n, "vxlan", "--source-ports", $"{ports}"));
        using Capture capture = Capture.Start(nodes, 1, "udp dst port 8472 and src host 192.0.2.1");
        using var receiver = new UdpSocket(nodes.Two, "0.0.0.0", 7002);
        for (int i = 0; i < 2 * flows; i++)
        {
            using var sender = new UdpSocket(nodes.One, "0.0.0.0", 20_000 + i % flows);
            sender.Send([1, 2, 3], TwoNodes.OverlayAddress(2), 7002);
            receiver.MustReceive([1, 2, 3], $"datagram {i}");
        }
        // Outermost first: the tunnel's source port, then the flow's own.
        string[] sources = [.. capture.Read("udp.port==8472,vxlan", "vxlan && udp.dstport==7002", "udp.srcport").Select(fields => fields[0])];
        Assert.Equal(2 * flows, sources.Length);
        Assert.Equal(flows, sources.Distinct().Count());
        int[] outer = [.. sources.Select(source => int.Parse(source.Split(',')[0])).Distinct()];
        if (ports == 1) Assert.Equal([8472], outer);
        else Assert.InRange(outer.Length, flows / 2, flows);
        Assert.InRange(Lane(nodes.Daemons[0]).GetProperty("egress").GetProperty("forwarded").GetInt64(), 2 * flows, long.MaxValue);
    }

    /// <summary>Not a packet is missing in the capture, nor on the way while the lane closes and opens.</summary>
    [Fact]
    public void It_steps_aside_for_a_capture_on_the_device()
    {
        using TwoNodes nodes = Join("udp", "on", "on");
        using var watch = new PingWatch(nodes.One, TwoNodes.OverlayAddress(2));
        nodes.One.Ip("link", "set", "ff0", "promisc", "on");
        AwaitClosed(nodes.Daemons[0], "is being watched");
        nodes.One.Ip("link", "set", "ff0", "promisc", "off");
        AwaitOpen(nodes.Daemons[0]);
        watch.MustHaveLostNothing();
    }

    /// <summary>Its packets would go past the place where they are encrypted.</summary>
    [Fact]
    public void It_stays_closed_while_the_host_has_IPsec_policies()
    {
        using TwoNodes nodes = Join("udp", "on", "on");
        CommandResult added = nodes.One.Try("ip", "xfrm", "policy", "add", "src", "192.0.2.1", "dst", "192.0.2.2", "dir", "out", "tmpl", "proto", "esp", "mode", "transport");
        Assert.SkipWhen(added.ExitCode != 0, "this kernel has no IPsec");
        AwaitClosed(nodes.Daemons[0], "IPsec");
    }

    /// <summary>A peer that is reached another way is not sent over the old interface.</summary>
    [Fact]
    public void It_follows_the_routes_of_the_underlay()
    {
        using TwoNodes nodes = Join("udp", "on", "on");
        nodes.One.Ip("link", "add", "eth1", "type", "veth", "peer", "name", "eth1", "netns", nodes.Two.Name);
        foreach (int n in (int[])[1, 2]) nodes.Node(n).Ip("link", "set", "eth1", "up");
        nodes.One.Ip("route", "add", "192.0.2.2/32", "dev", "eth1");
        Eventually.Equal(0, () => Lane(nodes.Daemons[0]).GetProperty("peers").GetInt32(), "peers in the lane");
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(5), nodes.One, TwoNodes.OverlayAddress(2));
        nodes.One.Ip("route", "del", "192.0.2.2/32", "dev", "eth1");
        Meet(nodes);
    }

    /// <summary>The programs are gone with the process: what a lane would take arrives at whoever has the port now.</summary>
    [Theory, InlineData(nameof(Underlay.Veth)), InlineData(nameof(Underlay.WireLike))]
    public void Nothing_of_it_outlives_a_killed_daemon(string underlay)
    {
        using TwoNodes nodes = Join("udp", "on", "on", Enum.Parse<Underlay>(underlay));
        Assert.Equal(underlay == nameof(Underlay.WireLike), HasXdp());
        nodes.Daemons[1].Signal(Native.SIGKILL);
        Eventually.True(() => !nodes.Daemons[1].IsRunning, TimeSpan.FromSeconds(5), () => "it lives");
        using var heir = new UdpSocket(nodes.Two, TwoNodes.UnderlayAddress(2), 8285);
        Ping.Answers(nodes.One, TwoNodes.OverlayAddress(2), 1);
        Assert.Equal(84, heir.Receive().Length);
        Assert.False(HasXdp());

        bool HasXdp() => nodes.Two.Run("ip", "link", "show", "eth0").Output.Contains("xdp", StringComparison.Ordinal);
    }

    /// <summary>A device that is made anew, and one behind the tunnel that cannot take super-packets.</summary>
    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void It_opens_again_on_a_new_device_and_packets_are_cut_where_they_must_be(string encap)
    {
        using TwoNodes nodes = Join(encap, "on", "on");
        nodes.Two.Ip("link", "delete", "ff0");
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(5), nodes.One, TwoNodes.OverlayAddress(2));
        AwaitOpen(nodes.Daemons[1]);
        Meet(nodes);
        using Netns pod = Pod.Create(nodes, 2, mtu: 1500);
        nodes.Two.Run("ethtool", "-K", "pod", "tso", "off", "gso", "off", "tx", "off");
        TcpTransfer.MustArriveIntact(nodes.One, pod, "10.5.2.5", Bytes);
        TcpTransfer.MustArriveIntact(pod, nodes.One, TwoNodes.OverlayAddress(1), Bytes, seed: 2);
    }

    private static TwoNodes Join(string encap, string one, string two, Underlay underlay = Underlay.Veth)
    {
        TwoNodes nodes = TwoNodes.Create(underlay);
        foreach ((int n, string lane) in ((int, string)[])[(1, one), (2, two)])
        {
            nodes.ExpressLane = lane;
            Daemon daemon = nodes.StartDaemon(n, encap);
            if (lane != "off") AwaitOpen(daemon);
            else AwaitClosed(daemon, "switched off by --express-lane off");
        }
        if (one != "off" && two != "off") Meet(nodes);
        return nodes;
    }

    /// <summary>Both send packets to each other by their lanes.</summary>
    private static void Meet(TwoNodes nodes)
    {
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(5), nodes.One, TwoNodes.OverlayAddress(2));
        foreach (Daemon daemon in nodes.Daemons) Eventually.Equal(1, () => daemon.Status().PeersInLane, "peers in the lane");
    }

    private static JsonElement Lane(Daemon daemon) => daemon.Status().ExpressLane;

    private static void AwaitOpen(Daemon daemon) =>
        Eventually.True(() => Lane(daemon).GetProperty("open").GetBoolean(), TimeSpan.FromSeconds(5), () => $"the lane is closed: {Lane(daemon)}\n{daemon.Log}");

    private static void AwaitClosed(Daemon daemon, string reason) => Eventually.True(
        () => Lane(daemon) is var lane && !lane.GetProperty("open").GetBoolean() && lane.GetProperty("reason").GetString()!.Contains(reason, StringComparison.Ordinal),
        TimeSpan.FromSeconds(5), () => $"{Lane(daemon)}\n{daemon.Log}");
}
