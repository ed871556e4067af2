using System.Diagnostics;
using System.Net;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Tests.Fakes;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;

namespace FlannelFast.Control.Tests.Tunnels;

/// <summary>A whole tunnel on the real kernel: when its express lane is open, for whom, and what its status and log say.</summary>
public sealed class ExpressLaneOnHostTests
{
    private const string Policy = "src 10.1.0.0/16 dst 10.2.0.0/16 dir out";

    [Fact]
    public void It_follows_the_host() => Run(() =>
    {
        MustHaveTcx();
        using LogRecorder log = new();
        using ITunnelRuntime tunnel = Start(log);
        Expect(tunnel, "eth0", peers: 2);

        tunnel.ReplacePeers([FakeTunnelRuntime.Peer(2), FakeTunnelRuntime.Peer(3), FakeTunnelRuntime.Peer(4)]);
        Expect(tunnel, "eth0", peers: 3);
        Shell("ip route add 192.0.2.3/32 via 198.51.100.254");
        Expect(tunnel, "eth0", peers: 2);
        Shell("ip route del 192.0.2.3/32");
        Expect(tunnel, "eth0", peers: 3);

        Shell($"ip xfrm policy add {Policy} tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel");
        Expect(tunnel, reason: "this host has IPsec policies");
        Shell($"ip xfrm policy delete {Policy}");
        Expect(tunnel, "eth0", peers: 3);

        Shell("ip link set ff0 promisc on");
        Expect(tunnel, reason: "ff0 is being watched (promiscuous, as by tcpdump)");
        Shell("ip link set ff0 promisc off");
        Expect(tunnel, "eth0", peers: 3);

        int before = tunnel.ReadStatus().Engine.ExpressLane!.Road!.TunIndex;
        Shell("ip link del ff0");
        Expect(tunnel, status => status.Engine.ExpressLane is { Peers: 3, Road: { } road } && road.TunIndex != before);

        Shell("ip addr add 198.51.100.11/24 dev eth1");
        tunnel.Follow(IPAddress.Parse("198.51.100.11"), 0);
        Expect(tunnel, "eth1", peers: 0);
        tunnel.Follow(IPAddress.Parse("192.0.2.1"), 0);
        Expect(tunnel, "eth0", peers: 3);
        Assert.Equal("Information: express lane open: ff0 <-> eth0, with TCP, for 2 hosts", log.Lines[0]);
        Assert.Equal(2, log.Lines.Count(line => line.StartsWith("Information: express lane closed: ", StringComparison.Ordinal)
            && !line.EndsWith("looked up", StringComparison.Ordinal)));
    });

    [Fact]
    public void Switched_off_it_stays_closed_and_silent() => Run(() =>
    {
        using LogRecorder log = new();
        using ITunnelRuntime tunnel = Start(log, ExpressLaneMode.Off);
        Expect(tunnel, reason: "switched off by --express-lane off");
        Assert.Empty(log.Lines);
    });

    private static ITunnelRuntime Start(LogRecorder log, ExpressLaneMode mode = ExpressLaneMode.Auto)
    {
        Shell("""
            ip link add eth0 type veth peer name x0; ip link add eth1 type veth peer name x1
            for link in eth0 x0 eth1 x1; do ip link set $link up; done
            ip addr add 192.0.2.1/24 dev eth0; ip addr add 198.51.100.1/24 dev eth1
            """);
        TunnelConfig config = FakeTunnelRuntime.Config(EncapsulationKind.Vxlan, FakeTunnelRuntime.Peer(2), FakeTunnelRuntime.Peer(3));
        return TunnelRuntime.Start(config with { Engine = config.Engine with { ExpressLane = mode } }, log);
    }

    private static void Expect(ITunnelRuntime tunnel, string? underlay = null, int peers = 0, string? reason = null) => Expect(tunnel, status =>
        status.ExpressLane == new ExpressLaneState(underlay, reason) && (underlay is null ? status.Engine.ExpressLane?.Road is null : status.Engine.ExpressLane?.Peers == peers));

    private static void Expect(ITunnelRuntime tunnel, Func<TunnelStatus, bool> matches)
    {
        long started = Stopwatch.GetTimestamp();
        TunnelStatus found;
        while (!matches(found = tunnel.ReadStatus()))
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(10)) Assert.Fail($"still {found.ExpressLane}, engine: {found.Engine.ExpressLane}");
            Thread.Sleep(10);
        }
    }

    private static void MustHaveTcx() => Assert.SkipUnless(Environment.OSVersion.Version >= new Version(6, 6), "tcx is new in Linux 6.6");
}
