using System.Buffers.Binary;
using System.Diagnostics;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>With udp only hosts that have an express lane, too, get what is unfinished: over veth that is nearly every packet.</summary>
public sealed class LaneNeighbourTests
{
    private const int Port = 8285;

    /// <summary>"FFL1": an open lane wants an answer, has heard nothing, and calls itself 7.</summary>
    private static readonly byte[] s_hello = [0x46, 0x46, 0x4C, 0x31, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];

    /// <summary>A program that reads datagrams from a socket, as stock flannel does, gets whole packets with right checksums, one in each.</summary>
    [Theory, InlineData(true, "auto"), InlineData(false, "auto"), InlineData(true, "on"), InlineData(false, "on")]
    public void A_stock_host_gets_finished_packets(bool superPackets, string lane)
    {
        using TwoNodes nodes = TwoNodes.Create();
        // Segments are cut, but their checksums are still left to the card that is none.
        if (!superPackets) nodes.One.Run("ethtool", "-K", "eth0", "tso", "off", "gso", "off", "tx-udp_tnl-segmentation", "off", "tx-udp_tnl-csum-segmentation", "off");
        using var stock = new UdpSocket(nodes.Two, TwoNodes.UnderlayAddress(2), Port);
        nodes.ExpressLane = lane;
        AwaitOpen(nodes.StartDaemon(1, "udp"));
        using Process connecting = StartConnecting(nodes);
        try
        {
            CheckFinished(nodes, stock, TimeSpan.FromSeconds(3));
        }
        finally
        {
            connecting.Kill();
        }
        Assert.Equal(0, PeersInLane(nodes.Daemons[0]));
        Assert.Contains("0 of 1 peer", nodes.Daemons[0].Client("status").Output, StringComparison.Ordinal);
    }

    /// <summary>It ends without a word, and what it was is a stock host now.</summary>
    [Fact]
    public void One_that_was_killed_gets_finished_packets_within_seconds()
    {
        using TwoNodes nodes = Meet();
        nodes.Daemons[1].Signal(Native.SIGKILL);
        Eventually.True(() => !nodes.Daemons[1].IsRunning, TimeSpan.FromSeconds(5), () => "it lives");
        using var stock = new UdpSocket(nodes.Two, TwoNodes.UnderlayAddress(2), Port);
        using Process connecting = StartConnecting(nodes);
        try
        {
            Eventually.True(() => PeersInLane(nodes.Daemons[0]) == 0, TimeSpan.FromSeconds(5), () => "it is still believed");
            while (stock.HasArrivals) stock.Receive();
            CheckFinished(nodes, stock, TimeSpan.FromSeconds(2));
        }
        finally
        {
            connecting.Kill();
        }
    }

    /// <summary>A connection between pods outlives it, and not one byte is another.</summary>
    [Theory, InlineData(Native.SIGTERM), InlineData(Native.SIGKILL)]
    public void Flows_go_on_while_a_host_is_started_anew_without_its_lane_and_with_it_again(int signal)
    {
        using TwoNodes nodes = Meet();
        Netns[] pods = [.. ((int[])[1, 2]).Select(n => nodes.Own(Pod.Create(nodes, n, 1472)))];
        // The transfer takes ten seconds, what follows half of them.
        pods[0].Run("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "200mbit", "burst", "200k", "limit", "2m");
        Task transfer = Task.Run(() => TcpTransfer.MustArriveIntact(pods[0], pods[1], "10.5.2.5", 250_000_000), TestContext.Current.CancellationToken);
        foreach ((string lane, int peers) in ((string, int)[])[("off", 0), ("auto", 1)])
        {
            Thread.Sleep(500);
            Daemon before = nodes.Daemons[^1];
            before.Signal(signal);
            Eventually.True(() => !before.IsRunning, TimeSpan.FromSeconds(5), () => "it lives");
            nodes.ExpressLane = lane;
            nodes.StartDaemon(2, "udp");
            Ping.MustAnswerWithin(TimeSpan.FromSeconds(2), pods[0], "10.5.2.5");
            Eventually.True(() => PeersInLane(nodes.Daemons[0]) == peers, TimeSpan.FromSeconds(5), () => $"{PeersInLane(nodes.Daemons[0])} peers in the lane");
            Assert.False(transfer.IsCompleted);
        }
        Eventually.True(() => transfer.IsCompletedSuccessfully, TimeSpan.FromSeconds(30), () => $"the transfer has come to a halt: {transfer.Exception}");
    }

    [Fact]
    public void One_that_ends_in_order_says_so()
    {
        using TwoNodes nodes = Meet();
        long started = Stopwatch.GetTimestamp();
        Assert.Equal(0, nodes.Daemons[1].Stop());
        Eventually.True(() => PeersInLane(nodes.Daemons[0]) == 0, TimeSpan.FromSeconds(1), () => "it was not heard");
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 1.5);
    }

    /// <summary>Not one packet is missing on the way from the lane to the engine and back.</summary>
    [Fact]
    public void One_that_steps_aside_for_a_capture_gets_what_engines_send()
    {
        using TwoNodes nodes = Meet();
        using var watch = new PingWatch(nodes.One, TwoNodes.OverlayAddress(2));
        for (int i = 0; i < 3; i++)
        {
            nodes.Two.Ip("link", "set", "ff0", "promisc", "on");
            Eventually.True(() => PeersInLane(nodes.Daemons[0]) == 0, TimeSpan.FromSeconds(1), () => "it was not heard");
            nodes.Two.Ip("link", "set", "ff0", "promisc", "off");
            Eventually.True(() => PeersInLane(nodes.Daemons[0]) == 1 && PeersInLane(nodes.Daemons[1]) == 1, TimeSpan.FromSeconds(1), () => "it was not heard");
        }
        watch.MustHaveLostNothing();
    }

    /// <summary>Who is on the way to the other device without being it, pods above all, is not listened to.</summary>
    [Fact]
    public void Strangers_are_not_believed()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.ExpressLane = "auto";
        AwaitOpen(nodes.StartDaemon(1, "udp"));
        nodes.ExpressLane = "off";
        nodes.StartDaemon(2, "udp");
        nodes.Two.Ip("address", "add", "10.5.2.7/32", "dev", "ff0");
        byte[] hello = [.. s_hello];
        // The device's own address is the only one that is heard, and it has to say the number that it was told.
        foreach (string address in (string[])["10.5.2.7", TwoNodes.OverlayAddress(2)])
        {
            using var stranger = new UdpSocket(nodes.Two, address, Port) { Ttl = 255 };
            for (int i = 0; i < 200; i++) stranger.Send(hello, TwoNodes.OverlayAddress(1), Port);
            for (int length = 0; length < 1400; length += 100) stranger.Send(new byte[length], TwoNodes.OverlayAddress(1), Port);
        }
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        Assert.Equal(0, PeersInLane(nodes.Daemons[0]));
        // It listens all the same.
        nodes.Daemons[1].Stop();
        nodes.ExpressLane = "auto";
        nodes.StartDaemon(2, "udp");
        Ping.MustAnswerWithin(TimeSpan.FromSeconds(5), nodes.One, TwoNodes.OverlayAddress(2));
        Eventually.Equal(1, () => PeersInLane(nodes.Daemons[0]), "peers in the lane");
    }

    /// <summary>A container of another network of a host that has no lane: flannel's rules make its packets the device's, and it may choose the port that hellos come from.</summary>
    [Theory, InlineData(64), InlineData(255)]
    public void Who_is_masqueraded_as_the_other_device_is_not_believed(short ttl)
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.ExpressLane = "auto";
        AwaitOpen(nodes.StartDaemon(1, "udp"));
        nodes.ExpressLane = "off";
        nodes.StartDaemon(2, "udp");
        using Netns container = Netns.Create();
        nodes.Two.Ip("link", "add", "docker0", "type", "veth", "peer", "name", "eth0", "netns", container.Name);
        nodes.Two.Ip("address", "add", "172.17.0.1/16", "dev", "docker0");
        nodes.Two.Ip("link", "set", "docker0", "up");
        container.Ip("address", "add", "172.17.0.2/16", "dev", "eth0");
        container.Ip("link", "set", "eth0", "up");
        container.Ip("route", "add", "default", "via", "172.17.0.1");
        nodes.Two.WriteSysctl("ipv4/ip_forward", "1");
        nodes.Two.Run("iptables", "-t", "nat", "-A", "POSTROUTING", "!", "-s", "10.5.0.0/16", "-d", "10.5.0.0/16", "-j", "MASQUERADE");
        using var stranger = new UdpSocket(container, "172.17.0.2", Port) { Ttl = ttl };
        byte[] hello = [.. s_hello];
        for (int i = 0; i < 10; i++)
        {
            stranger.Send(hello, TwoNodes.OverlayAddress(1), Port);
            Thread.Sleep(50);
            // What it is answered has the number that makes it believable.
            if (stranger.HasArrivals) stranger.Receive()[16..24].CopyTo(hello.AsSpan(8));
        }
        Assert.Equal(0, PeersInLane(nodes.Daemons[0]));
        Assert.All(hello[8..16], digit => Assert.Equal(0, digit));
        Ping.MustAnswer(container, TwoNodes.OverlayAddress(1));
    }

    [Fact]
    public void Where_its_port_is_taken_the_lane_stays_closed_and_says_why()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.One.WriteSysctl("ipv4/ip_nonlocal_bind", "1");
        using var other = new UdpSocket(nodes.One, TwoNodes.OverlayAddress(1), Port);
        nodes.ExpressLane = "auto";
        Daemon daemon = nodes.StartDaemon(1, "udp");
        Eventually.True(() => daemon.Client("status").Output.Contains("off: cannot ask for other hosts' lanes from 10.5.1.0:8285 on ff0: Address already in use", StringComparison.Ordinal),
            TimeSpan.FromSeconds(5), () => daemon.Client("status").Output);
        nodes.StartDaemon(2, "udp");
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 10_000_000);
    }

    private static TwoNodes Meet()
    {
        TwoNodes nodes = TwoNodes.Create();
        nodes.ExpressLane = "auto";
        foreach (int n in (int[])[1, 2]) AwaitOpen(nodes.StartDaemon(n, "udp"));
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        foreach (Daemon daemon in nodes.Daemons) Eventually.Equal(1, () => PeersInLane(daemon), "peers in the lane");
        return nodes;
    }

    /// <summary>TCP and UDP from this host itself, whose checksums are left to the card.</summary>
    private static Process StartConnecting(TwoNodes nodes) => Shell.Start("ip", nodes.One.CommandLine(
        "bash", "-c", "while :; do echo hello >/dev/udp/10.5.2.0/9; timeout 0.2 bash -c 'echo >/dev/tcp/10.5.2.0/9'; sleep 0.02; done 2>/dev/null"));

    private static void CheckFinished(TwoNodes nodes, UdpSocket stock, TimeSpan time)
    {
        int tcp = 0, udp = 0;
        for (long started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < time;)
        {
            ReadOnlySpan<byte> packet = stock.Receive();
            Assert.InRange(packet.Length, 20, 1472);
            Assert.Equal(packet.Length, BinaryPrimitives.ReadUInt16BigEndian(packet[2..]));
            Assert.Equal(0, InnerPacket.Checksum(packet[..20]));
            if (packet[9] == 6) tcp++;
            else if (packet[9] == 17) udp++;
            else continue;
            byte[] pseudo = [.. packet[12..20], 0, packet[9], 0, (byte)(packet.Length - 20), .. packet[20..]];
            Assert.Equal(0, InnerPacket.Checksum(pseudo));
        }
        Assert.True(tcp >= 3 && udp >= 10, $"only {tcp} of TCP, {udp} of UDP\n{nodes.Daemons[0].Log}");
    }

    private static int PeersInLane(Daemon daemon) => daemon.Status().PeersInLane;

    private static void AwaitOpen(Daemon daemon) => Eventually.True(
        () => daemon.Status().ExpressLane.GetProperty("open").GetBoolean(), TimeSpan.FromSeconds(5), () => $"the lane is closed: {daemon.Status().ExpressLane}\n{daemon.Log}");
}
