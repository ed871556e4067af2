using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

/// <summary>Peers on the same link by a plain route, the others by the device.</summary>
public sealed class DirectRoutingTests : VxlanHosts
{
    private static readonly NetworkConfig s_network = Cluster.Network("""{"Type": "vxlan", "Directrouting": true}""", ipv6: true);

    private static readonly Lease s_near = Cluster.VxlanLease(2, s_network);

    private static readonly Lease s_far = Cluster.VxlanLease(3, s_network) with
    {
        Attributes = Cluster.VxlanLease(3, s_network).Attributes with { PublicIP = IPAddress.Parse("198.51.100.3"), PublicIPv6 = IPAddress.Parse("2001:db8:1::3") },
    };

    [Fact]
    public void Only_far_peers_go_through_the_device()
    {
        RunningBackend backend = StartWithGateway();
        Assert.Empty(backend.Apply(s_near, s_far).Failures);
        Assert.Equal("10.5.2.0/24 via 192.0.2.2 dev eth0 \n10.5.3.0/24 via 10.5.3.0 dev flannel.1 onlink \n", One.Shell("ip route | grep ^10.5"));
        Assert.Equal("fd05:0:0:2::/64 via 2001:db8::2 dev eth0 metric 1024 pref medium\nfd05:0:0:3::/64 via fd05:0:0:3:: dev flannel-v6.1 metric 1024 onlink pref medium\n",
            One.Shell("ip -6 route | grep 'fd05.* via'"));
        Assert.Equal("10.5.3.0 lladdr 02:00:00:00:00:03 PERMANENT \n", One.Shell("ip -4 neigh show dev flannel.1"));
        Assert.Equal("02:00:00:00:00:03 dst 198.51.100.3 self permanent\n", One.Shell("bridge fdb show dev flannel.1"));
        Assert.Contains((IPNetwork.Parse("10.5.2.0/24"), "192.0.2.2 dev eth0"), backend.Backend.Routes);
    }

    /// <summary>As stock writes it: without a device, which the kernel fills in.</summary>
    [Fact]
    public void Stocks_direct_routes_are_taken_over_and_those_of_departed_peers_removed()
    {
        One.Shell("ip route add 10.5.2.0/24 via 192.0.2.2; ip route add 10.5.9.0/24 via 192.0.2.9; ip route add 10.5.128.0/25 via 192.0.2.9; ip route add 10.6.0.0/24 via 192.0.2.9");
        RunningBackend backend = StartWithGateway();
        ApplyResult result = backend.Apply(s_near);
        Assert.Contains("route 10.5.9.0/24 via 192.0.2.9 removed", result.Changes);
        Assert.DoesNotContain(result.Changes, change => change.Contains("route 10.5.2.0", StringComparison.Ordinal));
        Assert.Equal("10.5.128.0/25 via 192.0.2.9 dev eth0 \n10.5.2.0/24 via 192.0.2.2 dev eth0 \n10.6.0.0/24 via 192.0.2.9 dev eth0 \n", One.Shell("ip route | grep ^10 | sort"));
    }

    [Fact]
    public void A_peer_that_moves_away_goes_through_the_device_and_back()
    {
        RunningBackend backend = StartWithGateway();
        backend.Apply(s_near);
        string near = HostView.Of(One);
        // The way to the peer, not the peer, changes: the backend must notice by itself.
        One.Shell("ip route add 192.0.2.2/32 via 192.0.2.254; ip route add 2001:db8::2/128 via 2001:db8::fe");
        Soon.Equal("10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink \nfd05:0:0:2::/64 via fd05:0:0:2:: dev flannel-v6.1 metric 1024 onlink pref medium\n",
            () => One.Shell("ip route | grep ^10.5.2; ip -6 route | grep ^fd05:0:0:2::/64"));
        Assert.Contains("10.5.2.0 lladdr", One.Shell("ip neigh show dev flannel.1"), StringComparison.Ordinal);
        One.Shell("ip route del 192.0.2.2/32 via 192.0.2.254; ip route del 2001:db8::2/128 via 2001:db8::fe");
        Soon.Equal(near, () => HostView.Of(One));
    }

    [Theory]
    [InlineData("ip route del 10.5.2.0/24")]
    [InlineData("ip route replace 10.5.2.0/24 via 192.0.2.9")]
    [InlineData("ip link set eth0 down; ip link set eth0 up; ip route add 198.51.100.0/24 via 192.0.2.254; ip address add 2001:db8::1/64 dev eth0 nodad; ip route add 2001:db8:1::/48 via 2001:db8::fe")]
    [InlineData("ip address del 192.0.2.1/24 dev eth0; ip address add 192.0.2.1/24 dev eth0; ip route add 198.51.100.0/24 via 192.0.2.254")]
    public void Direct_routes_are_repaired(string damage)
    {
        RunningBackend backend = StartWithGateway();
        backend.Apply(s_near, s_far);
        string whole = One.Shell("ip route | sort");
        One.Shell(damage);
        Soon.Equal(whole, () => One.Shell("ip route | sort"));
    }

    [Fact]
    public void Traffic_flows_without_encapsulation()
    {
        RunningBackend one = Start(One, s_network), two = Start(Two, s_network);
        one.Apply(two.OwnLease);
        two.Apply(one.OwnLease);
        One.Shell("ping -c 1 -W 2 -I 10.5.1.0 10.5.2.0; ping -c 1 -W 2 -I fd05:0:0:1:: fd05:0:0:2::");
        Assert.Equal("0\n", One.Shell("ip -s -j link show flannel.1 | sed 's/.*\"tx\":{\"bytes\":\\([0-9]*\\).*/\\1/'"));
    }

    private RunningBackend StartWithGateway()
    {
        One.Shell("ip route add 198.51.100.0/24 via 192.0.2.254; ip route add 2001:db8:1::/48 via 2001:db8::fe");
        return Start(One, s_network);
    }
}
