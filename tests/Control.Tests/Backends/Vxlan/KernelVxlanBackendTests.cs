using System.Diagnostics;
using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

/// <summary>The kernel's device on real hosts, held against what stock flanneld v0.28 sets up.</summary>
public sealed class KernelVxlanBackendTests : VxlanHosts
{
    [Theory]
    [InlineData("", "nolearning")]
    [InlineData(", \"Learning\": true", "learning")]
    [InlineData(", \"GBP\": true", "nolearning gbp")]
    [InlineData(", \"VNI\": 7, \"Port\": 4789, \"MTU\": 1400", "nolearning")]
    public void A_host_looks_byte_for_byte_as_stock_leaves_it(string fields, string options)
    {
        (int vni, int port, int mtu) = fields.Contains("VNI", StringComparison.Ordinal) ? (7, 4789, 1350) : (1, 8472, 1450);
        NetworkConfig network = Cluster.Network($$"""{"Type": "vxlan"{{fields}}}""");
        RunningBackend backend = Start(One, network);
        ApplyResult result = backend.Apply(Cluster.VxlanLease(2, network), Cluster.VxlanLease(3, network));
        Assert.Empty(result.Failures);
        Assert.Equal(mtu, backend.Backend.Mtu);
        string ours = HostView.Of(One, $"flannel.{vni}");
        backend.Dispose();
        Assert.Equal(ours, HostView.Of(One, $"flannel.{vni}"));

        One.Shell($"ip link del flannel.{vni}");
        Stock.Program(One, vni, port, mtu, backend.Mac, options, peers: [2, 3]);
        Assert.Equal(HostView.Of(One, $"flannel.{vni}"), ours);
    }

    /// <summary>But for the MTU: stock leaves 20 bytes too few for the outer IPv6 header.</summary>
    [Fact]
    public void IPv6_looks_byte_for_byte_as_stock_leaves_it()
    {
        NetworkConfig network = Cluster.Network("""{"Type": "vxlan"}""", ipv4: false, ipv6: true);
        RunningBackend backend = Start(One, network);
        Assert.Equal(1430, backend.Backend.Mtu);
        Assert.Empty(backend.Apply(Cluster.VxlanLease(2, network), Cluster.VxlanLease(3, network)).Failures);
        string ours = HostView.Of(One, "flannel-v6.1");
        backend.Dispose();

        One.Shell("ip link del flannel-v6.1");
        Stock.ProgramV6(One, 1430, backend.MacV6, peers: [2, 3]);
        Assert.Equal(HostView.Of(One, "flannel-v6.1"), ours);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void What_stock_left_is_taken_over_without_a_single_change(bool ipv6)
    {
        NetworkConfig network = Cluster.Network("""{"Type": "vxlan"}""", ipv4: !ipv6, ipv6: ipv6);
        const string Mac = "c6:d2:32:6f:8f:44";
        if (ipv6) Stock.ProgramV6(One, 1430, Mac, peers: [2, 3]);
        else Stock.Program(One, 1, 8472, 1450, Mac, "nolearning", peers: [2, 3]);

        using ChangeRecorder changes = new(One);
        RunningBackend backend = Start(One, network);
        ApplyResult first = backend.Apply(Cluster.VxlanLease(2, network), Cluster.VxlanLease(3, network));
        Assert.Equal(Mac, ipv6 ? backend.MacV6 : backend.Mac);
        Assert.Empty(first.Changes.Concat(first.Failures));
        Assert.Empty(changes.Take());
    }

    [Fact]
    public void A_second_apply_and_a_restart_write_nothing()
    {
        NetworkConfig network = Cluster.Network("""{"Type": "vxlan", "DirectRouting": true}""", ipv6: true);
        Lease[] others = [Cluster.VxlanLease(2, network), Beyond(Cluster.VxlanLease(3, network)), Beyond(Cluster.VxlanLease(4, network))];
        One.Shell("ip route add 198.51.100.0/24 via 192.0.2.254; ip route add 2001:db8:1::/48 via 2001:db8::fe");
        RunningBackend backend = Start(One, network);
        Assert.NotEmpty(backend.Apply(others).Changes);

        using ChangeRecorder changes = new(One);
        ApplyResult again = backend.Apply(others);
        Assert.Empty(again.Changes.Concat(again.Failures));
        string mac = backend.Mac;
        backend.Dispose();
        RunningBackend restarted = Start(One, network);
        ApplyResult afterRestart = restarted.Apply(others);
        Assert.Empty(afterRestart.Changes.Concat(afterRestart.Failures));
        Assert.Equal(mac, restarted.Mac);
        Assert.Empty(changes.Take());
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Two_of_ours_reach_each_other(bool ipv6)
    {
        NetworkConfig network = Cluster.Network("""{"Type": "vxlan"}""", ipv6: ipv6);
        RunningBackend one = Start(One, network), two = Start(Two, network);
        one.Apply(two.OwnLease);
        two.Apply(one.OwnLease);
        Two.Shell("ping -c 2 -i 0.1 -W 2 -I 10.5.2.0 10.5.1.0");
        One.Shell($"ping -c 1 -W 2 -s {one.Backend.Mtu - 28} -M do 10.5.2.0");
        if (ipv6) One.Shell($"ping -c 1 -W 2 -s {one.Backend.Mtu - 48} -M do -I fd05:0:0:1:: fd05:0:0:2::");
        Assert.Equal(ipv6 ? 1430 : 1450, one.Backend.Mtu);
    }

    [Fact]
    public void One_of_ours_and_one_programmed_as_stock_does_reach_each_other()
    {
        Stock.Program(Two, 1, 8472, 1450, $"{Cluster.Mac(2)}", "nolearning", peers: []);
        RunningBackend one = Start(One, Plain);
        one.Apply(Cluster.VxlanLease(2, Plain));
        Two.Shell($"""
            ip neigh replace 10.5.1.0 lladdr {one.Mac} dev flannel.1 nud permanent
            bridge fdb replace {one.Mac} dev flannel.1 dst 192.0.2.1 self permanent
            ip route replace 10.5.1.0/24 via 10.5.1.0 dev flannel.1 onlink
            """);
        One.Shell("ping -c 2 -i 0.1 -W 2 -s 1422 -M do 10.5.2.0");
        Two.Shell("ping -c 2 -i 0.1 -W 2 -s 1422 -M do 10.5.1.0");
    }

    [Fact]
    public void The_lease_says_what_the_device_is()
    {
        NetworkConfig network = Cluster.Network("""{"Type": "vxlan", "VNI": 7}""", ipv6: true);
        BackendAnnouncement announced = Start(One, network).Backend.Announcement;
        Assert.Equal("vxlan", announced.BackendType);
        // Derived from the published address (see VtepMac): the same again after a reboot.
        Assert.Equal("""{"VNI":7,"VtepMAC":"02:ff:c0:00:02:01"}""", announced.BackendData.GetRawText());
        Assert.StartsWith("{\"VNI\":7,\"VtepMAC\":\"02:ff:", announced.BackendV6Data.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(default, Start(Two, Plain).Backend.Announcement.BackendV6Data);
    }

    [Theory]
    [InlineData("ip link add flannel.1 address 02:00:00:00:00:77 type vxlan id 2 dev eth0 local 192.0.2.1 dstport 8472 nolearning", "its VNI is 2, not 1", true)]
    [InlineData("ip link add flannel.1 address 02:00:00:00:00:77 type vxlan id 1 dev eth0 local 192.0.2.1 dstport 4789 nolearning", "its port is 4789, not 8472", true)]
    [InlineData("ip link add flannel.1 address 02:00:00:00:00:77 type vxlan id 1 dev eth0 local 192.0.2.1 dstport 8472 nolearning gbp", "GBP is on", true)]
    [InlineData("ip link add flannel.1 address 02:00:00:00:00:77 type vxlan id 1 dev eth0 local 192.0.2.1 dstport 8472 nolearning l2miss", "l2miss is on", true)]
    [InlineData("ip link add flannel.1 address 02:00:00:00:00:77 type vxlan id 1 dev eth0 local 192.0.2.1 dstport 8472 group 239.0.0.1", "its group is 239.0.0.1", true)]
    [InlineData("ip link add flannel.1 address 02:00:00:00:00:77 type vxlan id 1 local 192.0.2.1 dstport 8472 nolearning", "its underlay is link 0", true)]
    [InlineData("ip link add flannel.1 address 02:00:00:00:00:77 type vxlan id 1 dev eth0 local 192.0.2.9 dstport 8472 nolearning", "its local address is 192.0.2.9, not 192.0.2.1", false)]
    [InlineData("ip link add flannel.1 address 02:00:00:00:00:77 type bridge", "it is of kind bridge, not vxlan", false)]
    [InlineData("ip link add flannel.1 type vxlan external dstport 8472", "it takes its destination from each packet", false)]
    public void A_device_that_does_not_fit_is_made_again_and_keeps_the_address_its_peers_know(string make, string why, bool keepsAddress)
    {
        One.Shell(make);
        using RecordingLog log = new();
        One.Do(() =>
        {
            using IBackend backend = KernelVxlanBackend.Prepare(new(Plain, Cluster.Underlay(One), new(), log));
            backend.Start(Cluster.Lease(1, Plain, backend.Announcement));
            Assert.Equal(keepsAddress ? "02:00:00:00:00:77" : "02:ff:c0:00:02:01", backend.Announcement.BackendData.GetProperty("VtepMAC").GetString());
        });
        Assert.Contains(log.Lines, line => line.Contains(why, StringComparison.Ordinal));
        Assert.Contains("vxlan id 1 local 192.0.2.1 dev eth0 srcport 0 0 dstport 8472 nolearning ttl auto", One.Shell("ip -d link show flannel.1"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_that_differs_in_what_can_be_changed_stays()
    {
        Stock.Program(One, 1, 8472, 1300, "02:00:00:00:00:77", "learning", peers: [2]);
        string index = One.Shell("ip link show flannel.1 | cut -d: -f1");
        RunningBackend backend = Start(One, Plain);
        backend.Apply(Cluster.VxlanLease(2, Plain));
        Assert.Equal(index, One.Shell("ip link show flannel.1 | cut -d: -f1"));
        string ours = HostView.Of(One);
        backend.Dispose();
        One.Shell("ip link del flannel.1");
        Stock.Program(One, 1, 8472, 1450, "02:00:00:00:00:77", "nolearning", peers: [2]);
        Assert.Equal(HostView.Of(One), ours);
    }

    [Fact]
    public void A_device_of_a_host_behind_NAT_sends_from_its_own_address_and_keeps_its_name_for_the_peers()
    {
        // As flannel from 0.27.4 on leaves it: local is the public address.
        One.Shell("ip link add flannel.1 address 02:00:00:00:00:77 type vxlan id 1 dev eth0 local 203.0.113.1 dstport 8472 nolearning");
        ExternalInterface external = One.Do(() => Cluster.Underlay(One) with { PublicIP = IPAddress.Parse("203.0.113.1") });
        RunningBackend backend = Start(One, Plain, external);
        Assert.Equal("02:00:00:00:00:77", backend.Mac);
        Assert.Contains("local 192.0.2.1 ", One.Shell("ip -d link show flannel.1"), StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_addresses_of_the_network_go_and_foreign_ones_stay()
    {
        One.Shell("""
            ip link add flannel.1 type vxlan id 1 dev eth0 local 192.0.2.1 dstport 8472 nolearning
            ip address add 10.5.9.0/32 dev flannel.1; ip address add 10.5.1.0/16 dev flannel.1; ip address add 10.99.0.1/24 dev flannel.1
            """);
        Start(One, Plain);
        Assert.Equal("10.5.1.0/32\n10.99.0.1/24\n", One.Shell("ip -4 -br address show dev flannel.1 | tr ' ' '\\n' | grep / | sort"));
    }

    [Fact]
    public void What_departed_peers_left_goes_and_what_is_foreign_stays()
    {
        Stock.Program(One, 1, 8472, 1450, "02:00:00:00:00:77", "nolearning", peers: [2, 3, 4]);
        // A hardware gateway somebody added by hand, learned and default entries, routes of others, also in our network.
        One.Shell("""
            ip neigh add 10.99.0.9 lladdr 02:00:00:00:00:99 dev flannel.1 nud permanent; bridge fdb add 02:00:00:00:00:99 dev flannel.1 dst 192.0.2.99 self permanent
            ip neigh add 10.5.8.0 lladdr 02:00:00:00:00:88 dev flannel.1 nud reachable
            bridge fdb append 00:00:00:00:00:00 dev flannel.1 dst 192.0.2.98 self permanent; bridge fdb add 02:00:00:00:00:97 dev flannel.1 dst 192.0.2.97 port 4789 self permanent
            ip route add 10.99.0.0/24 via 10.99.0.9 dev flannel.1 onlink; ip route add 10.5.64.0/24 dev flannel.1; ip route add 10.5.65.0/24 via 192.0.2.2 dev eth0
            ip route add 10.5.66.0/24 via 10.5.66.0 dev flannel.1 onlink proto static
            """);
        // Host 3 has the device of the gateway above as its own: its entry is still in use when host 3 is gone.
        One.Shell("ip neigh replace 10.5.3.0 lladdr 02:00:00:00:00:99 dev flannel.1 nud permanent");
        string before = HostView.Of(One);
        ApplyResult result = Start(One, Plain).Apply(Cluster.VxlanLease(2, Plain));
        Assert.Empty(result.Failures);
        string[] gone = [.. before.Split('\n').Except(HostView.Of(One).Split('\n'))];
        Assert.Equal(
        [
            "02:00:00:00:00:04 dst 192.0.2.4 self permanent",
            "10.5.3.0 lladdr 02:00:00:00:00:99 PERMANENT ",
            "10.5.4.0 lladdr 02:00:00:00:00:04 PERMANENT ",
            "unicast 10.5.3.0/24 via 10.5.3.0 dev flannel.1 proto boot scope global onlink ",
            "unicast 10.5.4.0/24 via 10.5.4.0 dev flannel.1 proto boot scope global onlink ",
        ], gone.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_peer_that_leaves_or_changes_leaves_nothing_behind()
    {
        RunningBackend backend = Start(One, Plain);
        backend.Apply(Cluster.VxlanLease(3, Plain));
        string alone = HostView.Of(One);
        backend.Apply(Cluster.VxlanLease(2, Plain), Cluster.VxlanLease(3, Plain));
        string both = HostView.Of(One);
        Lease other = Cluster.VxlanLease(2, Plain) with { Attributes = Cluster.VxlanLease(4, Plain).Attributes };
        Assert.NotEmpty(backend.Apply(other, Cluster.VxlanLease(3, Plain)).Changes);
        string changed = HostView.Of(One);
        Assert.Contains("10.5.2.0 lladdr 02:00:00:00:00:04", changed, StringComparison.Ordinal);
        Assert.DoesNotContain("02:00:00:00:00:02", changed, StringComparison.Ordinal);
        backend.Apply(Cluster.VxlanLease(2, Plain), Cluster.VxlanLease(3, Plain));
        Assert.Equal(both, HostView.Of(One));
        Assert.Equal(3, backend.Apply(Cluster.VxlanLease(3, Plain)).Changes.Count);
        Assert.Equal(alone, HostView.Of(One));
    }

    [Fact]
    public void Bad_leases_concern_only_themselves()
    {
        RunningBackend backend = Start(One, Plain);
        Lease good = Cluster.VxlanLease(2, Plain);
        backend.Apply(good);
        string wanted = HostView.Of(One);
        Lease[] bad = GarbageLeases.All(backend.OwnLease, good);
        ApplyResult result = backend.Apply([.. bad, good]);
        Assert.Equal(bad.Length, result.Failures.Count);
        Assert.Empty(result.Changes);
        Assert.Equal(wanted, HostView.Of(One));
        Assert.Equal([(IPNetwork.Parse("10.5.2.0/24"), "192.0.2.2 dev flannel.1")], backend.Backend.Routes);
    }

    /// <summary>The route comes last: neighbour and forwarding entry are there when it turns out that it cannot be.</summary>
    [Fact]
    public void A_peer_that_cannot_be_set_completely_is_not_set_at_all()
    {
        RunningBackend backend = Start(One, Plain);
        One.Shell("ip link add docker0 type bridge; ip address add 10.5.3.1/24 dev docker0; ip link set docker0 up");
        backend.Apply(Cluster.VxlanLease(2, Plain));
        string before = HostView.Of(One);
        ApplyResult result = backend.Apply(Cluster.VxlanLease(2, Plain), Cluster.VxlanLease(3, Plain));
        Assert.Equal(["lease 10.5.3.0/24: route 10.5.3.0/24 via 10.5.3.0: this host is itself connected to 10.5.3.0/24"], result.Failures);
        Assert.Equal(before, HostView.Of(One));
        Thread.Sleep(300);
        // The roll-back is no damage: it would be repaired and rolled back for ever.
        Assert.InRange(backend.RepairCalls.Count, 0, 3);
    }

    /// <summary>A route that covers the next hop of an IPv6 route in a way the kernel does not accept: nothing may be lost over the attempt.</summary>
    [Fact]
    public void A_route_in_the_way_is_put_back_where_ours_is_refused()
    {
        NetworkConfig network = Cluster.Network("""{"Type": "vxlan"}""", ipv4: false, ipv6: true);
        RunningBackend backend = Start(One, network);
        One.Shell("ip -6 route add fd05:0:0:2::/64 dev eth0; ip -6 route add fd05:0:0:2::/128 dev eth0");
        string before = HostView.Of(One, "flannel-v6.1");
        ApplyResult result = backend.Apply(Cluster.VxlanLease(2, network), Cluster.VxlanLease(3, network));
        Assert.StartsWith("lease fd05:0:0:2::/64: cannot replace route fd05:0:0:2::/64 via fd05:0:0:2:: dev flannel-v6.1: ", Assert.Single(result.Failures), StringComparison.Ordinal);
        Assert.Equal(2 + 1, result.Changes.Count(change => change.Contains("fd05:0:0:3::", StringComparison.Ordinal)));
        backend.Apply();
        Assert.Equal(before, HostView.Of(One, "flannel-v6.1"));
    }

    [Fact]
    public void Five_thousand_peers_are_programmed_in_no_time()
    {
        NetworkConfig network = Cluster.Network("""{"Type": "vxlan"}""") with
        {
            Ipv4 = new(IPNetwork.Parse("10.0.0.0/8"), 24, IPAddress.Parse("10.0.1.0"), IPAddress.Parse("10.255.255.0")),
        };
        Lease[] others = [.. Enumerable.Range(0, 5000).Select(n => Peer(n, network))];
        RunningBackend backend = Start(One, network);
        (TimeSpan first, ApplyResult set) = Timed(() => backend.Apply(others));
        Assert.Empty(set.Failures);
        Assert.Equal(15000, set.Changes.Count);
        Assert.Equal("5000\n5000\n5000\n", One.Shell("ip neigh show dev flannel.1 nud permanent | wc -l; bridge fdb show dev flannel.1 | wc -l; ip route show dev flannel.1 | wc -l"));
        long allocatedBefore = GC.GetTotalAllocatedBytes();
        (TimeSpan again, ApplyResult nothing) = Timed(() => backend.Apply(others));
        double megabytes = (GC.GetTotalAllocatedBytes() - allocatedBefore) / 1e6;
        Assert.Empty(nothing.Changes.Concat(nothing.Failures));

        long deleted = Stopwatch.GetTimestamp();
        One.Shell("ip link del flannel.1");
        Soon.Equal("5000\n", () => One.Shell("ip route show dev flannel.1 2>/dev/null | wc -l"));
        TimeSpan restored = Stopwatch.GetElapsedTime(deleted);
        (TimeSpan removal, _) = Timed(() => backend.Apply());
        Assert.Equal("0\n", One.Shell("(ip neigh show dev flannel.1 nud permanent; bridge fdb show dev flannel.1; ip route show dev flannel.1) | wc -l"));
        TestContext.Current.TestOutputHelper?.WriteLine($"5,000 peers: set {first.TotalMilliseconds:0} ms, nothing to do {again.TotalMilliseconds:0} ms and {megabytes:0.0} MB, device deleted and all back {restored.TotalMilliseconds:0} ms, removed {removal.TotalMilliseconds:0} ms");
        Assert.InRange(first.TotalSeconds, 0, 2);
        Assert.InRange(again.TotalSeconds, 0, 1);
        Assert.InRange(removal.TotalSeconds, 0, 2);

        static (TimeSpan, ApplyResult) Timed(Func<ApplyResult> apply)
        {
            long started = Stopwatch.GetTimestamp();
            ApplyResult result = apply();
            return (Stopwatch.GetElapsedTime(started), result);
        }
    }

    [Fact]
    public void A_host_whose_kernel_makes_vxlan_devices_is_found_so_and_nothing_is_left() => One.Do(() =>
    {
        string before = Netlink.NetworkNamespace.Shell("ip link");
        Assert.True(KernelVxlanBackend.IsAvailable(out string? refusal));
        Assert.Null(refusal);
        Assert.Equal(before, Netlink.NetworkNamespace.Shell("ip link"));
    });

    [Fact]
    public void What_the_host_refuses_is_told_in_one_sentence()
    {
        One.Shell("ip link add other type vxlan id 1 dev eth0 local 192.0.2.1 dstport 8472");
        Assert.Equal("cannot make flannel.1: other has VNI 1 on port 8472 already", One.Do(() => Refusal(Plain)));
        One.Shell("ip link del other");
        Assert.Equal("cannot set flannel.1 up: UDP port 8472 is in use by another program", One.Do(() =>
        {
            using System.Net.Sockets.UdpClient taken = new(8472);
            return Refusal(Plain);
        }));
        One.Shell("ip link set eth0 mtu 1300");
        NetworkConfig ipv6 = Cluster.Network("""{"Type": "vxlan"}""", ipv4: false, ipv6: true);
        Assert.Equal("the MTU of eth0 is 1300: 1230 would be left for packets in flannel-v6.1, at least 1280 are needed", One.Do(() => Refusal(ipv6)));

        string Refusal(NetworkConfig network) => Assert.ThrowsAny<IOException>(() =>
        {
            using IBackend backend = KernelVxlanBackend.Prepare(new(network, Cluster.Underlay(One), new(), NullLoggerFactory.Instance));
            backend.Start(Cluster.Lease(1, network, backend.Announcement));
        }).Message;
    }

    private static Lease Beyond(Lease lease) => lease with
    {
        Attributes = lease.Attributes with
        {
            PublicIP = IPAddress.Parse($"198.51.100.{lease.CreateRevision}"),
            PublicIPv6 = IPAddress.Parse($"2001:db8:1::{lease.CreateRevision}"),
        },
    };

    private static Lease Peer(int number, NetworkConfig network)
    {
        byte high = (byte)(number / 250), low = (byte)(number % 250 + 1);
        Lease lease = Cluster.VxlanLease(2, network);
        return lease with
        {
            Subnet = new(new(new IPAddress([10, (byte)(high + 10), low, 0]), 24)),
            Attributes = lease.Attributes with
            {
                PublicIP = new([198, 51, high, low]),
                BackendData = new VxlanLeaseData(1, new(0x020000100000ul + (uint)number)).ToJson(),
            },
            CreateRevision = number + 10,
        };
    }
}
