using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Udp;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tests.Backends.Support;

namespace FlannelFast.Control.Tests.Backends.Udp;

/// <summary>The udp backend on the real kernel: two hosts on one wire.</summary>
public sealed class UdpBackendOnHostTests : IDisposable
{
    private readonly Node _one, _two;
    private readonly List<IBackend> _backends = [];
    private readonly RecordingLog _log = new();

    public UdpBackendOnHostTests() => (_one, _two) = Node.CreatePair();

    public void Dispose()
    {
        foreach (IBackend backend in _backends) backend.Dispose();
        _one.Dispose();
        _two.Dispose();
    }

    [Fact]
    public void Two_hosts_reach_each_other_and_leave_nothing_behind()
    {
        string before = State(_one);
        IBackend one = Start(_one, 1);
        Start(_two, 2);
        Assert.Contains("mtu 1472", _one.Shell("ip link show flannel0"), StringComparison.Ordinal);
        Assert.Contains("inet 10.5.1.0/32 ", _one.Shell("ip addr show flannel0"), StringComparison.Ordinal);
        Assert.Equal("10.5.0.0/16 \n", _one.Shell("ip route show dev flannel0"));
        _one.MustReach("10.5.2.0");
        _two.MustReach("10.5.1.0");

        _one.Do(one.Dispose);
        Assert.Equal(before, State(_one));
    }

    [Fact]
    public void The_next_free_name_is_taken()
    {
        Start(_one, 1);
        NetworkConfig other = Sample.Network("""{"Type":"udp","Port":8286}""");
        other = other with { Ipv4 = other.Ipv4! with { Network = System.Net.IPNetwork.Parse("10.6.0.0/16") } };
        Lease lease = Sample.Lease(1) with { Subnet = new(System.Net.IPNetwork.Parse("10.6.1.0/24")) };
        Start(_one, 1, other, lease, [lease]);
        Assert.Contains("10.6.0.0/16", _one.Shell("ip route show dev flannel1"), StringComparison.Ordinal);
        Assert.Contains("10.5.0.0/16", _one.Shell("ip route show dev flannel0"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ip link del flannel0")]
    [InlineData("ip link set flannel0 down")]
    [InlineData("ip addr flush dev flannel0")]
    [InlineData("ip route del 10.5.0.0/16")]
    [InlineData("ip link set flannel0 mtu 1000")]
    public void Damage_is_repaired(string damage)
    {
        Start(_one, 1);
        Start(_two, 2);
        _one.MustReach("10.5.2.0");
        string before = State(_one);
        _one.Shell(damage);
        Soon.True(() => State(_one) == before, $"the state before \"{damage}\"", seconds: 1.5);
        _one.MustReach("10.5.2.0", seconds: 1.5);
    }

    [Fact]
    public void Another_address_and_mtu_of_the_underlay_are_followed()
    {
        IBackend one = Start(_one, 1);
        IBackend two = Start(_two, 2);
        _one.MustReach("10.5.2.0");
        int index = Index(_one);

        _one.Shell("ip addr add 192.0.2.11/24 dev eth0; ip addr del 192.0.2.1/24 dev eth0; ip addr add 192.0.2.11/24 dev eth0 2>/dev/null || true; ip link set eth0 mtu 1400");
        ExternalInterface moved = _one.External("192.0.2.11");
        _one.Do(() => one.Follow(moved));
        Lease lease = Sample.Lease(1) with { Attributes = Sample.Lease(1).Attributes with { PublicIP = moved.PublicIP } };
        two.Apply([lease, Sample.Lease(2)]);
        Assert.Equal(1372, one.Mtu);
        Soon.True(() => _one.Shell("ip link show flannel0").Contains("mtu 1372", StringComparison.Ordinal), "the MTU", seconds: 1);
        _one.MustReach("10.5.2.0");
        _two.MustReach("10.5.1.0");
        // The same device all the time: pods' connections live on.
        Assert.Equal(index, Index(_one));
        Assert.Contains("192.0.2.11:8285", _one.Shell("ss -lun"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_is_not_there_is_refused_and_traffic_goes_on()
    {
        IBackend one = Start(_one, 1);
        Start(_two, 2);
        ExternalInterface nowhere = _one.External("192.0.2.99");
        var refused = Assert.Throws<IOException>(() => _one.Do(() => one.Follow(nowhere)));
        Assert.Equal("no interface of this host owns 192.0.2.99: choose one with -iface", refused.Message);
        _one.MustReach("10.5.2.0");
    }

    [Fact]
    public void A_port_in_use_is_said_in_one_line()
    {
        Start(_one, 1);
        var refused = Assert.Throws<IOException>(() => Start(_one, 1));
        Assert.Equal("UDP 192.0.2.1:8285 is in use by another program: stop it or change Port in the network config", refused.Message);
        Assert.DoesNotContain("flannel1", _one.Shell("ip link"), StringComparison.Ordinal);
    }

    [Fact]
    public void Ipv6_travels_between_hosts_of_ours()
    {
        NetworkConfig network = Sample.Network("""{"Type":"udp"}""", ipv6: true);
        string data = UdpLeaseData.InnerIpv6.GetRawText();
        Lease[] leases = [Sample.Lease(1, ipv6: true, v6Data: data), Sample.Lease(2, ipv6: true, v6Data: data)];
        IBackend one = Start(_one, 1, network, leases[0], leases);
        Start(_two, 2, network, leases[1], leases);
        _one.MustReach("fd00:5:0:2::");
        _two.MustReach("fd00:5:0:1::");
        _one.MustReach("10.5.2.0");

        one.Apply([leases[0], Sample.Lease(2)]);
        _one.MustNotReach("fd00:5:0:2::");
        _one.MustReach("10.5.2.0");
    }

    private IBackend Start(Node node, int host, NetworkConfig? network = null, Lease? own = null, Lease[]? leases = null)
    {
        BackendContext context = Sample.Context(network ?? Sample.Network("""{"Type":"udp"}"""), node.External($"192.0.2.{host}"), _log);
        IBackend backend = node.Do(() =>
        {
            IBackend made = UdpBackend.Prepare(context);
            try
            {
                made.Start(own ?? Sample.Lease(host));
                return made;
            }
            catch
            {
                made.Dispose();
                throw;
            }
        });
        _backends.Add(backend);
        Assert.Empty(backend.Apply(leases ?? [Sample.Lease(1), Sample.Lease(2)]).Failures);
        return backend;
    }

    // Indices and counters aside: a device that was made again has others.
    private static string State(Node node) => node.Shell(
        "ip -o link | sed 's/^[0-9]*: //; s/link-netns[^ ]* [^ ]*//'; ip -o -4 addr | sed 's/^[0-9]*: //'; ip route");

    private static int Index(Node node) => int.Parse(node.Shell("ip -o link show flannel0 | cut -d: -f1").Trim());
}
