using System.Globalization;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Traffic;

/// <summary>VXLAN leaves from several source ports, one for each flow, and nobody gets in there.</summary>
public sealed class SourcePortTests
{
    private const int TunnelPort = 8472;

    /// <summary>Enough that all of 8 ports are used: that one is missed has a probability below 10^-10.</summary>
    private const int Flows = 200;

    private const string Stranger = "192.0.2.9";

    [Theory, InlineData(8), InlineData(3), InlineData(1)]
    public void Many_flows_leave_from_all_ports_and_one_flow_from_one(int ports)
    {
        using TwoNodes nodes = TwoNodes.Create(Underlay.WireLike);
        Daemon daemon = nodes.StartDaemon(1, "vxlan", "--source-ports", $"{ports}");
        // What stands at the other end is the kernel's.
        KernelVxlan.Create(nodes, 2);
        using Capture capture = Capture.Start(nodes, 1, $"udp dst port {TunnelPort} and src host 192.0.2.1");
        using (var receiver = new UdpSocket(nodes.Two, TwoNodes.OverlayAddress(2), 7005))
        {
            for (int round = 0; round < 3; round++)
            {
                for (int flow = 0; flow < Flows; flow++)
                {
                    using var sender = new UdpSocket(nodes.One, TwoNodes.OverlayAddress(1), 10_000 + flow);
                    byte[] payload = [(byte)round, (byte)flow];
                    sender.Send(payload, TwoNodes.OverlayAddress(2), 7005);
                    receiver.MustReceive(payload, $"datagram {round} of flow {flow}");
                }
            }
        }
        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 5_000_000);

        List<string[]> packets = capture.Read($"udp.port=={TunnelPort},vxlan", "", "udp.srcport", "tcp.srcport");
        // Outer port, and the inner flow's.
        (string Outer, string Inner)[] seen = [.. packets.Select(p => p[1].Length > 0 ? (p[0], p[1]) : (p[0].Split(',')[0], p[0].Split(',')[1]))];
        Assert.InRange(seen.Length, 3 * Flows + 5_000_000 / 1450, int.MaxValue);
        foreach (IGrouping<string, (string Outer, string Inner)> flow in seen.GroupBy(s => s.Inner)) Assert.Single(flow.Select(s => s.Outer).Distinct());
        Assert.Equal(Flows + 1, seen.Select(s => s.Inner).Distinct().Count());
        Assert.Equal(BoundSocket.PortsOf(nodes, 1), seen.Select(s => int.Parse(s.Outer, CultureInfo.InvariantCulture)).Distinct().Order());
        Assert.Equal(ports, BoundSocket.Of(nodes, 1).Count);
        Assert.Equal(ports > 1, daemon.Status().CapabilitiesInUse.Contains("source_ports"));
        daemon.Status().AssertEveryPacketAccountedFor();
    }

    /// <summary>From somebody else or from a peer, a perfect frame or rubbish: the kernel drops it before the daemon knows.</summary>
    [Theory, InlineData(Stranger), InlineData("192.0.2.2")]
    public void A_flood_of_the_source_ports_changes_nothing(string attacker)
    {
        const int Each = 3000;
        using TwoNodes nodes = TwoNodes.Create();
        Daemon daemon = nodes.StartDaemon(1, "vxlan");
        KernelVxlan.Create(nodes, 2);
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        nodes.Two.Ip("address", "add", $"{Stranger}/24", "dev", "eth0");
        byte[] frame = new VxlanFrame().ToArray(), rubbish = new byte[1400];
        using var socket = new UdpSocket(nodes.Two, attacker, 7006);

        DaemonStatus before = daemon.Status();
        double processor = daemon.ProcessorSeconds();
        int[] targets = [.. BoundSocket.PortsOf(nodes, 1).Where(port => port != TunnelPort)];
        Assert.Equal(7, targets.Length);
        for (int i = 0; i < Each; i++)
        {
            foreach (int port in targets) socket.Send(i % 2 == 0 ? frame : rubbish, TwoNodes.UnderlayAddress(1), port);
        }
        // Not silently: the kernel counts them where it counts what sockets drop.
        Eventually.True(() => Targets().All(t => t.Drops == Each), TimeSpan.FromSeconds(2), () => string.Join(' ', Targets()));
        DaemonStatus after = daemon.Status();
        Assert.Equal(before.Ingress.Packets, after.Ingress.Packets);
        Assert.InRange(Worker(after, "wakeups") - Worker(before, "wakeups"), 0, 20);
        Assert.Equal(0, Worker(after, "socket_overflow"));
        Assert.InRange(daemon.ProcessorSeconds() - processor, 0, 0.2);
        Assert.All(Targets(), target => Assert.Equal(0, target.Waiting));
        Assert.Equal(0, Unreachables(nodes));
        // At the tunnel's own port the same frame is looked at.
        socket.Send(frame, TwoNodes.UnderlayAddress(1), TunnelPort);
        Eventually.Equal(after.Ingress.Packets + 1, () => daemon.Status().Ingress.Packets, "packets received");

        TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 20_000_000);
        daemon.Status().AssertEveryPacketAccountedFor();

        IEnumerable<BoundSocket> Targets() => BoundSocket.Of(nodes, 1).Where(bound => targets.Contains(bound.Port));
    }

    /// <summary>The host has three ports to give.</summary>
    [Fact]
    public void Fewer_ports_than_wanted_are_used_and_that_is_said()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.One.WriteSysctl("ipv4/ip_local_port_range", "40000 40002");
        Daemon daemon = nodes.StartDaemon(1, "vxlan");
        nodes.One.WriteSysctl("ipv4/ip_local_port_range", "32768 60999");
        KernelVxlan.Create(nodes, 2);
        Assert.Equal([TunnelPort, 40_000, 40_001, 40_002], BoundSocket.PortsOf(nodes, 1));
        Assert.Contains("source_ports", daemon.Status().CapabilitiesInUse);
        const string Reason = "4 ports instead of 8: cannot bind another source port at 192.0.2.1: Address already in use";
        Assert.Contains(Reason, daemon.Client("status").Output, StringComparison.Ordinal);
        Eventually.True(() => daemon.Log.Contains("flows leave from 4 source ports instead of 8: ", StringComparison.Ordinal), TimeSpan.FromSeconds(2), () => daemon.Log);
        for (int seed = 0; seed < 8; seed++) TcpTransfer.MustArriveIntact(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2), 1_000_000, seed);
    }

    /// <summary>Where the sockets would take the descriptors of netlink and the control socket, it does without them.</summary>
    [Fact]
    public void Scarce_descriptors_go_to_what_needs_them()
    {
        using TwoNodes nodes = TwoNodes.Create();
        Daemon plenty = nodes.StartDaemon(1, "vxlan", "--source-ports", "32");
        int enough = Directory.GetFiles($"/proc/{plenty.Pid}/fd").Length;
        plenty.Stop();
        // How many it needs for a moment while it starts is the runtime's affair: the smallest limit with which it does.
        Daemon? daemon = null;
        for (int limit = enough - 31; daemon is null && limit < enough; limit++) daemon = TryStart(nodes, limit);
        Assert.NotNull(daemon);
        Assert.Equal([TunnelPort], BoundSocket.PortsOf(nodes, 1));
        Assert.Contains("leave from one port instead of 32: ", daemon.Client("status").OrThrow().Output, StringComparison.Ordinal);
        Assert.Contains("Too many open files", daemon.Log, StringComparison.Ordinal);
        KernelVxlan.Create(nodes, 2);
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
    }

    private static Daemon? TryStart(TwoNodes nodes, int descriptors)
    {
        try
        {
            return nodes.Own(Daemon.StartBy(["prlimit", $"--nofile={descriptors}"], nodes.One, nodes.SocketPath(1), [.. nodes.TunnelFlags(1, "vxlan"), "--source-ports", "32"]));
        }
        catch (Exception refused) when (refused is InvalidOperationException or Xunit.Sdk.XunitException)
        {
            return null;
        }
    }

    private static long Worker(DaemonStatus status, string counter) => status.Root.GetProperty("workers")[0].GetProperty(counter).GetInt64();

    /// <summary>How often node 1 has told somebody by ICMP that a port is closed.</summary>
    private static long Unreachables(TwoNodes nodes)
    {
        string[][] icmp = [.. nodes.One.Run("cat", "/proc/net/snmp").Output.Split('\n').Where(l => l.StartsWith("Icmp:", StringComparison.Ordinal)).Select(l => l.Split(' '))];
        return long.Parse(icmp[1][Array.IndexOf(icmp[0], "OutDestUnreachs")], CultureInfo.InvariantCulture);
    }
}
