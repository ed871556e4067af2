using System.Net;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;

namespace FlannelFast.Control.Tests.Firewall;

/// <summary>On the real kernel.</summary>
public sealed class BlackholeRouteTests
{
    private static readonly LeasedSubnet s_own = new(IPNetwork.Parse("10.5.72.0/24"), IPNetwork.Parse("fc00:0:0:1::/64"));

    [Fact]
    public void There_is_one_and_it_stays() => Run(() =>
    {
        using NetlinkClient netlink = new();
        BlackholeRoute blackhole = new(netlink.Routes);
        Assert.Equal(["blackhole route 10.5.72.0/24 set", "blackhole route fc00:0:0:1::/64 set"], blackhole.Ensure(s_own));
        Assert.Empty(blackhole.Ensure(s_own));
        Assert.StartsWith("blackhole 10.5.72.0/24 metric ", Shell("ip route show type blackhole"), StringComparison.Ordinal);
        Assert.StartsWith("blackhole fc00:0:0:1::/64 dev lo metric ", Shell("ip -6 route show type blackhole"), StringComparison.Ordinal);
        Shell("ip route flush type blackhole");
        Assert.Equal(["blackhole route 10.5.72.0/24 set"], blackhole.Ensure(s_own));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_bridges_own_route_comes_first_whichever_was_there_first(bool bridgeFirst) => Run(() =>
    {
        const string Bridge = "ip link add cni0 type veth peer name p; ip link set cni0 up; ip link set p up; ip addr add 10.5.72.1/24 dev cni0; ip -6 addr add fc00:0:0:1::1/64 dev cni0 nodad";
        using NetlinkClient netlink = new();
        BlackholeRoute blackhole = new(netlink.Routes);
        // As stock leaves it, and as it is in the bridge's way.
        Shell("ip route add blackhole 10.5.72.0/24; ip -6 route add blackhole fc00:0:0:1::/64 metric 1");
        if (bridgeFirst) Shell(Bridge);
        Assert.Equal(4, blackhole.Ensure(s_own).Count);
        if (!bridgeFirst) Shell(Bridge);
        Assert.Empty(blackhole.Ensure(s_own));
        foreach (string address in new[] { "10.5.72.9", "fc00:0:0:1::9" }) Assert.Contains("dev cni0", Shell($"ip route get {address}"), StringComparison.Ordinal);
        Shell("ip link set cni0 down; ip addr flush dev cni0");
        Assert.Contains("blackhole", Shell("ip route get 10.5.72.9 2>&1 || ip route show match 10.5.72.9"), StringComparison.Ordinal);
    });

    [Fact]
    public void That_of_a_subnet_given_up_goes_and_others_stay() => Run(() =>
    {
        using NetlinkClient netlink = new();
        BlackholeRoute blackhole = new(netlink.Routes);
        LeasedSubnet former = new(IPNetwork.Parse("10.5.9.0/24"), s_own.Ipv6);
        blackhole.Ensure(former);
        Shell("ip route add blackhole 10.5.9.0/24; ip route add blackhole 10.99.0.0/16; ip route add unreachable 10.5.9.0/24 metric 7");
        Assert.Equal(
            ["blackhole route 10.5.9.0/24 of an earlier run deleted", "blackhole route 10.5.9.0/24 of an earlier run deleted"], blackhole.Remove(former, s_own));
        Assert.Equal("blackhole 10.99.0.0/16", Shell("ip route show type blackhole").Trim());
        Assert.Equal("unreachable 10.5.9.0/24 metric 7", Shell("ip route show type unreachable").Trim());
        Assert.StartsWith("blackhole fc00:0:0:1::/64", Shell("ip -6 route show type blackhole"), StringComparison.Ordinal);
        Assert.Empty(blackhole.Remove(former, s_own));
    });
}
