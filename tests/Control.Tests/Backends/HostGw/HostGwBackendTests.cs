using System.Diagnostics;
using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.HostGw;
using FlannelFast.Control.Subnets;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Backends.HostGw;

public sealed class HostGwBackendTests : IDisposable
{
    private static readonly NetworkConfig s_network = Cluster.Network("""{"Type": "host-gw"}""", ipv6: true);

    private readonly Node _one;
    private readonly Node _two;
    private readonly List<RunningBackend> _running = [];

    public HostGwBackendTests() => (_one, _two) = Node.CreatePair();

    public void Dispose()
    {
        foreach (RunningBackend backend in _running) backend.Dispose();
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public void A_host_looks_byte_for_byte_as_stock_leaves_it()
    {
        RunningBackend backend = Start(_one);
        Assert.Empty(backend.Apply(Peer(2), Peer(3)).Failures);
        string ours = Routes();
        backend.Dispose();
        _one.Shell("for n in 2 3; do ip route del 10.5.$n.0/24; ip -6 route del fd05:0:0:$n::/64; done");
        Assert.NotEqual(ours, Routes());
        _one.Shell("for n in 2 3; do ip route add 10.5.$n.0/24 via 192.0.2.$n dev eth0; ip -6 route add fd05:0:0:$n::/64 via 2001:db8::$n dev eth0; done");
        Assert.Equal(Routes(), ours);

        // And takes over what stock left, without a change.
        using ChangeRecorder changes = new(_one);
        ApplyResult result = Start(_one).Apply(Peer(2), Peer(3));
        Assert.Empty(result.Changes.Concat(result.Failures));
        Assert.Empty(changes.Take());
    }

    [Fact]
    public void Its_lease_has_no_data_and_its_pods_the_whole_MTU()
    {
        RunningBackend backend = Start(_one);
        Assert.Equal(new("host-gw"), backend.Backend.Announcement);
        Assert.Equal(1500, backend.Backend.Mtu);
        _one.Shell("ip link set eth0 mtu 1400");
        _one.Do(() => backend.Backend.Follow(Cluster.Underlay(_one)));
        Assert.Equal((1400, 1), (backend.Backend.Mtu, backend.Announcements));
    }

    [Fact]
    public void Two_hosts_reach_each_other()
    {
        RunningBackend one = Start(_one), two = Start(_two);
        _one.Shell("ip address add 10.5.1.1/24 dev lo; ip address add fd05:0:0:1::1/64 dev lo nodad");
        _two.Shell("ip address add 10.5.2.1/24 dev lo; ip address add fd05:0:0:2::1/64 dev lo nodad");
        one.Apply(two.OwnLease);
        two.Apply(one.OwnLease);
        _one.Shell("ping -c 1 -W 2 -s 1472 -M do -I 10.5.1.1 10.5.2.1; ping -c 1 -W 2 -I fd05:0:0:1::1 fd05:0:0:2::1");
        Assert.Equal((IPNetwork.Parse("10.5.2.0/24"), "192.0.2.2 dev eth0"), one.Backend.Routes[0]);
    }

    [Fact]
    public void A_published_address_that_is_not_the_interfaces_is_refused_in_stocks_words() => _one.Do(() =>
    {
        const string Sentence = "your PublicIP differs from interface IP, meaning that probably you're on a NAT, which is not supported by host-gw backend";
        ExternalInterface own = Cluster.Underlay(_one);
        foreach (ExternalInterface external in (ExternalInterface[])[own with { PublicIP = IPAddress.Parse("203.0.113.1") }, own with { PublicIPv6 = IPAddress.Parse("2001:db8::77") }])
            Assert.Equal(Sentence, Assert.Throws<InvalidOperationException>(() => HostGwBackend.Prepare(new(s_network, external, new(), NullLoggerFactory.Instance))).Message);
    });

    [Theory]
    [InlineData("ip route del 10.5.2.0/24")]
    [InlineData("ip route replace 10.5.2.0/24 via 192.0.2.9")]
    [InlineData("ip route replace 10.5.2.0/24 dev lo")]
    [InlineData("ip -6 route del fd05:0:0:2::/64")]
    [InlineData("ip -6 route replace fd05:0:0:2::/64 via 2001:db8::9")]
    [InlineData("ip link set eth0 down; ip link set eth0 up; ip address add 2001:db8::1/64 dev eth0 nodad")]
    [InlineData("ip address del 192.0.2.1/24 dev eth0; ip address add 192.0.2.1/24 dev eth0")]
    public void Routes_are_put_right(string damage)
    {
        RunningBackend backend = Start(_one);
        backend.Apply(Peer(2), Peer(3));
        string whole = Routes();
        _one.Shell(damage);
        long damaged = Stopwatch.GetTimestamp();
        Soon.Equal(whole, Routes);
        Assert.InRange(Stopwatch.GetElapsedTime(damaged).TotalSeconds, 0, 1);
    }

    [Fact]
    public void Routes_of_departed_peers_go_and_others_stay()
    {
        _one.Shell("""
            ip route add 10.5.8.0/24 via 192.0.2.8; ip route add 10.5.9.0/24 via 192.0.2.9 proto static; ip route add 10.5.10.0/24 via 192.0.2.9 metric 5
            ip route add 10.5.11.0/25 via 192.0.2.9; ip route add 10.5.0.0/24 via 192.0.2.9; ip route add 10.6.0.0/24 via 192.0.2.9; ip route add 10.5.12.0/24 dev eth0
            ip -6 route add fd05:0:0:8::/64 via 2001:db8::8
            """);
        string[] before = Routes().Split('\n');
        ApplyResult result = Start(_one).Apply();
        Assert.Empty(result.Failures);
        Assert.Equal(["route 10.5.8.0/24 via 192.0.2.8 removed", "route fd05:0:0:8::/64 via 2001:db8::8 removed"], result.Changes);
        Assert.Equal(2, before.Except(Routes().Split('\n')).Count());
    }

    /// <summary>A lease from before SubnetMax or SubnetLen were changed: what was set for it goes with it, what looks the same and was not set stays.</summary>
    [Fact]
    public void A_route_outside_the_range_of_leases_goes_with_its_lease()
    {
        _one.Shell("ip route add 10.5.0.0/25 via 192.0.2.9");
        RunningBackend backend = Start(_one);
        Lease odd = Peer(2) with { Subnet = new(IPNetwork.Parse("10.5.0.128/25"), Peer(2).Subnet.Ipv6) };
        Assert.Empty(backend.Apply(odd).Failures);
        Assert.Contains("10.5.0.128/25 via 192.0.2.2", Routes(), StringComparison.Ordinal);
        Assert.Equal(["route 10.5.0.128/25 via 192.0.2.2 removed", "route fd05:0:0:2::/64 via 2001:db8::2 removed"], backend.Apply().Changes);
        Assert.DoesNotContain("10.5.0.128/25", Routes(), StringComparison.Ordinal);
        Assert.Contains("10.5.0.0/25 via 192.0.2.9", Routes(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_beyond_a_router_is_refused_and_the_others_are_set()
    {
        _one.Shell("ip route add 198.51.100.0/24 via 192.0.2.254");
        Lease far = Peer(3) with { Attributes = Peer(3).Attributes with { PublicIP = IPAddress.Parse("198.51.100.3") } };
        Lease foreign = Peer(4) with { Attributes = Peer(4).Attributes with { BackendType = "vxlan" } };
        ApplyResult result = Start(_one).Apply(far, foreign, Peer(2));
        Assert.StartsWith("lease 10.5.3.0/24: cannot replace route 10.5.3.0/24 via 198.51.100.3 dev eth0: Network is unreachable", Assert.Single(result.Failures), StringComparison.Ordinal);
        Assert.Equal("10.5.2.0/24 via 192.0.2.2 dev eth0 \n", _one.Shell("ip route | grep ^10.5"));
    }

    private static Lease Peer(int host) => Cluster.Lease(host, s_network, new("host-gw"));

    private string Routes() => _one.Shell("ip -d -4 route | sort; ip -d -6 route | grep -v fe80 | sort");

    private RunningBackend Start(Node node)
    {
        RunningBackend backend = RunningBackend.Start(node, s_network, HostGwBackend.Prepare);
        _running.Add(backend);
        return backend;
    }
}
