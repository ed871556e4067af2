using System.Net;
using System.Text.Json;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Reconciliation;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tests.Backends.Support;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

/// <summary>The packet engine's vxlan backend on the real kernel: two hosts on one wire.</summary>
public sealed class EngineVxlanOnHostTests : IDisposable
{
    private const string Config = """{"Type":"vxlan"}""", Direct = """{"Type":"vxlan","Directrouting":true}""";

    private readonly Node _one, _two;
    private readonly List<IDisposable> _owned = [];
    private readonly RecordingLog _log = new();

    public EngineVxlanOnHostTests() => (_one, _two) = Node.CreatePair();

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--) _owned[i].Dispose();
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public void Two_hosts_reach_each_other_and_leave_nothing_behind()
    {
        string before = State(_one);
        IBackend one = Start(_one, 1), two = Start(_two, 2);
        Join(one, two);
        Assert.Contains("mtu 1450", _one.Shell("ip link show flannel.1"), StringComparison.Ordinal);
        Assert.Equal("10.5.0.0/16 \n", _one.Shell("ip route show dev flannel.1"));
        _one.MustReach("10.5.2.0");
        _two.MustReach("10.5.1.0");

        one.Dispose();
        Assert.Equal(before, State(_one));
    }

    [Fact]
    public void Both_families_have_their_device()
    {
        IBackend one = Start(_one, 1, ipv6: true), two = Start(_two, 2, ipv6: true);
        Join(one, two, ipv6: true);
        _one.MustReach("10.5.2.0");
        _one.MustReach("fd00:5:0:2::");
        _two.MustReach("fd00:5:0:1::");
        Assert.Contains("mtu 1430", _one.Shell("ip link show flannel-v6.1"), StringComparison.Ordinal);
    }

    /// <summary>The other host is what stock flanneld makes there.</summary>
    [Fact]
    public void It_reaches_a_host_whose_kernel_carries_vxlan()
    {
        IBackend one = Start(_one, 1);
        string mac = one.Announcement.BackendData.GetProperty("VtepMAC").GetString()!;
        MakeKernelDevice(_two, "02:00:00:00:00:02", mac);
        ApplyResult result = one.Apply([Lease(1, one.Announcement), Sample.Lease(2, "vxlan", """{"VNI":1,"VtepMAC":"02:00:00:00:00:02"}""")]);
        Assert.Equal(["10.5.2.0/24 at 192.0.2.2, 02:00:00:00:00:02"], result.Changes);
        _one.MustReach("10.5.2.0");
        _two.MustReach("10.5.1.0");
        Assert.Contains(" 0% packet loss", _two.Shell("ping -n -c 3 -i 0.2 -s 9000 -W 1 10.5.1.0"), StringComparison.Ordinal);
    }

    /// <summary>Stock, or the kernel's data plane before, left it there: its port is free the moment it is gone.</summary>
    [Fact]
    public void A_kernel_device_that_was_left_behind_makes_way()
    {
        MakeKernelDevice(_one, "02:00:00:00:00:01", "02:00:00:00:00:02");
        IBackend one = Start(_one, 1), two = Start(_two, 2);
        Join(one, two);
        _one.MustReach("10.5.2.0");
        Assert.Equal("10.5.0.0/16 \n", _one.Shell("ip route show dev flannel.1"));
        Assert.Equal(1, _log.CountOf("flannel.1 makes way"));
    }

    [Theory]
    [InlineData("ip link del flannel.1")]
    [InlineData("ip link set flannel.1 down")]
    [InlineData("ip addr flush dev flannel.1")]
    [InlineData("ip route del 10.5.0.0/16")]
    public void Damage_is_repaired(string damage)
    {
        Join(Start(_one, 1), Start(_two, 2));
        _one.MustReach("10.5.2.0");
        string before = State(_one);
        _one.Shell(damage);
        Soon.True(() => State(_one) == before, $"the state before \"{damage}\"", seconds: 1.5);
        _one.MustReach("10.5.2.0", seconds: 1.5);
    }

    [Fact]
    public void Another_address_and_mtu_of_the_underlay_are_followed()
    {
        IBackend one = Start(_one, 1), two = Start(_two, 2);
        Join(one, two);
        _one.MustReach("10.5.2.0");
        Assert.Equal((8, 0), (CountSockets("192.0.2.1"), CountSockets("192.0.2.11")));
        _one.Shell("ip addr add 192.0.2.11/24 dev eth0; ip addr del 192.0.2.1/24 dev eth0; ip addr replace 192.0.2.11/24 dev eth0; ip link set eth0 mtu 1400");
        ExternalInterface moved = _one.External("192.0.2.11");
        _one.Do(() => one.Follow(moved));
        Lease lease = Lease(1, one.Announcement);
        two.Apply([lease with { Attributes = lease.Attributes with { PublicIP = moved.PublicIP } }, Lease(2, two.Announcement)]);
        Assert.Equal(1350, one.Mtu);
        Assert.Equal((0, 8), (CountSockets("192.0.2.1"), CountSockets("192.0.2.11")));
        Assert.Contains("mtu 1350", _one.Shell("ip link show flannel.1"), StringComparison.Ordinal);
        _one.MustReach("10.5.2.0");
        _two.MustReach("10.5.1.0");

        int CountSockets(string address) => _one.Shell($"ss -Huan src {address}").Count(c => c == '\n');
    }

    [Fact]
    public void Hosts_on_the_same_link_are_reached_without_vxlan_and_the_routes_are_kept()
    {
        IBackend one = Start(_one, 1, Direct), two = Start(_two, 2, Direct);
        LeaseUpdate leases = new LeaseUpdate.Snapshot([Lease(1, one.Announcement), Lease(2, two.Announcement)]);
        Run(_one, one).Take(leases);
        Run(_two, two).Take(leases);
        const string route = "10.5.2.0/24 via 192.0.2.2 dev eth0";
        Soon.True(() => _one.Shell("ip route").Contains(route, StringComparison.Ordinal), "the route", seconds: 2);
        _one.MustReach("10.5.2.0");
        Assert.Contains((IPNetwork.Parse("10.5.2.0/24"), "192.0.2.2 dev eth0"), one.Routes);
        long carried = ((EngineVxlanBackend)one).Tunnels[0].ReadStatus().Engine.Workers.Sum(worker => worker.Egress.Forwarded);
        Assert.Equal(0, carried);

        foreach (string damage in (string[])["ip route del 10.5.2.0/24", "ip route replace 10.5.2.0/24 via 192.0.2.77 dev eth0", "ip link set eth0 down; ip link set eth0 up"])
        {
            _one.Shell(damage);
            Soon.True(() => _one.Shell("ip route").Contains(route, StringComparison.Ordinal), $"the route after \"{damage}\"", seconds: 1.5);
        }
        // What belongs to no lease any more goes, what is not flannel's stays.
        _one.Shell("ip route add 10.5.9.0/24 via 192.0.2.9 dev eth0; ip route add 10.6.0.0/24 via 192.0.2.9 dev eth0");
        _one.Do(() => one.Apply([Lease(1, one.Announcement), Lease(2, two.Announcement)]));
        Assert.DoesNotContain("10.5.9.0", _one.Shell("ip route"), StringComparison.Ordinal);
        Assert.Contains("10.6.0.0", _one.Shell("ip route"), StringComparison.Ordinal);
    }

    [Fact]
    public void Hosts_behind_a_router_are_reached_by_vxlan_also_with_DirectRouting()
    {
        IBackend one = Start(_one, 1, Direct);
        _one.Shell("ip route add 198.51.100.0/24 via 192.0.2.2");
        Lease far = Sample.Lease(2, "vxlan", """{"VNI":1,"VtepMAC":"02:00:00:00:00:02"}""");
        one.Apply([far with { Attributes = far.Attributes with { PublicIP = IPAddress.Parse("198.51.100.2") } }]);
        Assert.DoesNotContain("10.5.2.0/24", _one.Shell("ip route"), StringComparison.Ordinal);
        Assert.Contains((IPNetwork.Parse("10.5.2.0/24"), "198.51.100.2 dev flannel.1"), one.Routes);
    }

    private Reconciler Run(Node node, IBackend backend)
    {
        var reconciler = new Reconciler(backend, TimeProvider.System, _log);
        _owned.Add(reconciler);
        node.Do(reconciler.Start);
        return reconciler;
    }

    private IBackend Start(Node node, int host, string config = Config, bool ipv6 = false)
    {
        BackendContext context = Sample.Context(Sample.Network(config, ipv6), node.External(ipv6: ipv6), _log);
        IBackend backend = node.Do(() => EngineVxlanBackend.Prepare(context));
        _owned.Add(backend);
        node.Do(() => backend.Start(Lease(host, backend.Announcement, ipv6)));
        return backend;
    }

    private static void Join(IBackend one, IBackend two, bool ipv6 = false)
    {
        Lease[] leases = [Lease(1, one.Announcement, ipv6), Lease(2, two.Announcement, ipv6)];
        foreach (IBackend backend in (IBackend[])[one, two]) Assert.Empty(backend.Apply(leases).Failures);
    }

    private static Lease Lease(int host, BackendAnnouncement announcement, bool ipv6 = false) => Sample.Lease(
        host, announcement.BackendType, announcement.BackendData.GetRawText(), ipv6,
        announcement.BackendV6Data.ValueKind == JsonValueKind.Undefined ? null : announcement.BackendV6Data.GetRawText());

    /// <summary>A host's device with the other host as its one peer, as stock programs it.</summary>
    private static void MakeKernelDevice(Node node, string mac, string peerMac)
    {
        int host = mac[^1] - '0', peer = 3 - host;
        node.Shell($"""
            ip link add flannel.1 address {mac} mtu 1450 type vxlan id 1 local 192.0.2.{host} dev eth0 dstport 8472 nolearning
            ip addr add 10.5.{host}.0/32 dev flannel.1
            ip link set flannel.1 up
            ip neigh add 10.5.{peer}.0 lladdr {peerMac} dev flannel.1 nud permanent
            bridge fdb add {peerMac} dev flannel.1 dst 192.0.2.{peer}
            ip route add 10.5.{peer}.0/24 via 10.5.{peer}.0 dev flannel.1 onlink
            """);
    }

    // Without indices: a device that was made again has another.
    private static string State(Node node) => node.Shell(
        "ip -o link | sed 's/^[0-9]*: //; s/link-netns[^ ]* [^ ]*//'; ip -o -4 addr | sed 's/^[0-9]*: //'; ip route");
}
