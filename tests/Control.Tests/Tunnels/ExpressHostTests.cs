using System.Collections.Concurrent;
using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Tests.Fakes;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;

namespace FlannelFast.Control.Tests.Tunnels;

/// <summary>The express lane's look at the real host.</summary>
public sealed class ExpressHostTests
{
    private const string Setup = """
        ip link add eth0 type veth peer name x0; ip link add eth1 type veth peer name x1
        for link in eth0 x0 eth1 x1; do ip link set $link up; done
        ip addr add 192.0.2.1/24 dev eth0; ip addr add 198.51.100.1/24 dev eth1
        ip tuntap add ff0 mode tun; ip link set ff0 up
        """;

    [Fact]
    public void The_road_over_veth_takes_TCP_while_super_packets_stay_whole() => Run(() =>
    {
        Shell(Setup);
        using NetlinkClient netlink = new();
        using ExpressHost host = new(netlink, _ => { });
        TunnelConfig config = FakeTunnelRuntime.Config(EncapsulationKind.Vxlan);
        ExpressRoad expected = new() { TunIndex = netlink.Links.Get("ff0").Index, UnderlayIndex = netlink.Links.Get("eth0").Index, UnderlayMtu = 1500, Tcp = true };
        Assert.Equal(expected, ExpressRoadSearch.Find(config, host).Best);
        Shell("ethtool -K eth0 tx-udp_tnl-segmentation off");
        Assert.Equal([expected with { Tcp = false }], ExpressRoadSearch.Find(config, host).Roads);
        Shell("ethtool -K eth0 gro on");
        Assert.Equal([expected with { Gro = true }, expected with { Tcp = false }], ExpressRoadSearch.Find(config, host).Roads);
        Assert.Equal("lo is the loopback interface", ExpressRoadSearch.Find(config with { Engine = config.Engine with { Local = IPAddress.Loopback } }, host).Reason);
        Shell("ip addr del 192.0.2.1/24 dev eth0");
        Assert.Equal("no interface owns 192.0.2.1", ExpressRoadSearch.Find(config, host).Reason);
        Shell("ip addr add 192.0.2.1/32 dev ff0");
        Assert.Equal("ff0 is not Ethernet", ExpressRoadSearch.Find(config, host).Reason);
    });

    [Fact]
    public void Routes_say_over_which_link_a_peer_is_reached() => Run(() =>
    {
        Shell($"{Setup}\nip route add 203.0.113.0/24 via 192.0.2.254; ip route add 203.0.113.7 via 198.51.100.254; ip route add unreachable 203.0.113.8");
        using NetlinkClient netlink = new();
        using ExpressHost host = new(netlink, _ => { });
        int eth0 = netlink.Links.Get("eth0").Index, eth1 = netlink.Links.Get("eth1").Index;
        string[] destinations = ["192.0.2.2", "203.0.113.6", "203.0.113.7", "203.0.113.8", "198.51.100.2", "192.0.2.1", "8.8.8.8"];
        // An own address stays on this host, the last two have no way at all.
        Assert.Equal([eth0, eth0, eth1, 0, eth1, 0, 0], host.FindLinks([.. destinations.Select(IPAddress.Parse)]));
    });

    /// <summary>With the kernel in the place of every fake but the engine.</summary>
    [Fact]
    public void Policies_and_routes_open_and_close_the_lane() => Run(() =>
    {
        Shell(Setup);
        using BlockingCollection<NetworkChange> changes = [];
        using NetlinkClient netlink = new();
        using NetlinkMonitor monitor = new(changes.Add);
        using ExpressHost host = new(netlink, changes.Add);
        List<string> calls = [];
        using LogRecorder log = new();
        TunnelConfig config = FakeTunnelRuntime.Config(EncapsulationKind.Vxlan);
        IReadOnlyList<Peer> peers = [FakeTunnelRuntime.Peer(2), FakeTunnelRuntime.Peer(3)];
        ExpressLaneKeeper keeper = new(host, (road, endpoints) => calls.Add(road is null ? "closed" : string.Join(' ', endpoints.Open.Select(e => $"{e}").Order(StringComparer.Ordinal))), () => calls.Count > 0 && calls[^1] != "closed", () => peers, null, log);
        Look();
        After("ip route add 192.0.2.3/32 via 198.51.100.254");
        After("ip xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir out tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel");
        After("ip xfrm policy flush");
        After("ip route del 192.0.2.3/32");
        Assert.Equal(["192.0.2.2 192.0.2.3", "192.0.2.2", "closed", "192.0.2.2", "192.0.2.2 192.0.2.3"], calls);

        void After(string command)
        {
            int before = calls.Count;
            Shell(command);
            while (changes.TryTake(out NetworkChange? change, TimeSpan.FromSeconds(10)))
            {
                if (keeper.IsConcernedBy(change, netlink.Links.Get("ff0").Index)) Look();
                if (calls.Count > before) return;
            }
            Assert.Fail($"nothing happened after: {command}");
        }

        void Look()
        {
            keeper.Look(config, isAudit: false);
            while (keeper.Ask())
            {
            }
        }
    });
}
