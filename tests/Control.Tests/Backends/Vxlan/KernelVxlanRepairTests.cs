using System.Diagnostics;
using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

/// <summary>Whatever somebody does to the host: it is as before within a second, and the peers need not be told.</summary>
public sealed class KernelVxlanRepairTests : VxlanHosts
{
    [Theory]
    [InlineData("ip link del flannel.1")]
    [InlineData("ip link set flannel.1 down")]
    [InlineData("ip link set flannel.1 address 02:00:00:00:00:78")]
    [InlineData("ip link set flannel.1 mtu 1000")]
    [InlineData("ip link set flannel.1 down; ip link set flannel.1 name other; ip link set other up")]
    [InlineData("ip address flush dev flannel.1 scope global")]
    [InlineData("ip address add 10.5.77.0/32 dev flannel.1")]
    [InlineData("ip route del 10.5.2.0/24")]
    [InlineData("ip route replace 10.5.2.0/24 dev eth0")]
    [InlineData("ip route replace 10.5.2.0/24 via 192.0.2.2; ip route append 10.5.2.0/24 via 10.5.2.0 dev flannel.1 onlink")]
    [InlineData("ip route replace blackhole 10.5.2.0/24")]
    [InlineData("ip route flush table main; ip route add 192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.1")]
    [InlineData("ip neigh del 10.5.2.0 dev flannel.1")]
    [InlineData("ip neigh replace 10.5.2.0 lladdr 02:00:00:00:00:79 dev flannel.1 nud permanent")]
    [InlineData("ip neigh replace 10.5.2.0 lladdr 02:00:00:00:00:02 dev flannel.1 nud reachable")]
    [InlineData("bridge fdb del 02:00:00:00:00:02 dev flannel.1")]
    [InlineData("bridge fdb replace 02:00:00:00:00:02 dev flannel.1 dst 192.0.2.99 self permanent")]
    [InlineData("ip link del flannel-v6.1")]
    [InlineData("ip link set flannel-v6.1 down")]
    [InlineData("ip link set flannel-v6.1 address 02:00:00:00:00:78")]
    [InlineData("ip -6 address flush dev flannel-v6.1 scope global")]
    [InlineData("ip -6 route del fd05:0:0:2::/64")]
    [InlineData("ip -6 route replace fd05:0:0:2::/64 dev eth0")]
    [InlineData("ip -6 route append fd05:0:0:2::/64 via 2001:db8::2 dev eth0")]
    [InlineData("ip -6 neigh del fd05:0:0:2:: dev flannel-v6.1")]
    [InlineData("bridge fdb del 02:00:00:00:06:02 dev flannel-v6.1")]
    public void It_is_put_right(string damage)
    {
        NetworkConfig network = Cluster.Network("""{"Type": "vxlan"}""", ipv6: true);
        RunningBackend backend = Start(One, network);
        backend.Apply(Cluster.VxlanLease(2, network), Cluster.VxlanLease(3, network));
        string mac = backend.Mac, macV6 = backend.MacV6, whole = View();

        One.Shell(damage);
        long damaged = Stopwatch.GetTimestamp();
        Soon.Equal(whole, View);
        Assert.InRange(Stopwatch.GetElapsedTime(damaged).TotalSeconds, 0, 1);
        Assert.Equal((mac, macV6, 0), (backend.Mac, backend.MacV6, backend.Announcements));
        ApplyResult audit = backend.Apply(Cluster.VxlanLease(2, network), Cluster.VxlanLease(3, network));
        Assert.Empty(audit.Changes.Concat(audit.Failures));
    }

    [Fact]
    public void What_concerns_others_wakes_nobody()
    {
        RunningBackend backend = Start(One, Plain);
        backend.Apply(Cluster.VxlanLease(2, Plain));
        Thread.Sleep(200);
        int before = backend.RepairCalls.Count;
        One.Shell("""
            ip link add br0 type bridge; ip link set br0 up; ip address add 10.99.0.1/24 dev br0; ip neigh add 10.99.0.2 lladdr 02:00:00:00:00:99 dev br0 nud permanent
            ip route add 10.98.0.0/16 dev br0; ip route add 10.5.200.0/24 dev br0; ip neigh add 10.99.0.3 lladdr 02:00:00:00:00:99 dev flannel.1 nud permanent
            bridge fdb add 02:00:00:00:00:99 dev flannel.1 dst 192.0.2.99 self permanent; ip route add 10.5.2.0/24 dev br0 metric 500; ip link del br0
            """);
        Thread.Sleep(200);
        Assert.Equal(before, backend.RepairCalls.Count);
    }

    [Fact]
    public void Traffic_goes_on_after_the_device_was_deleted()
    {
        RunningBackend one = Start(One, Plain), two = Start(Two, Plain);
        one.Apply(two.OwnLease);
        two.Apply(one.OwnLease);
        One.Shell("ping -c 1 -W 2 10.5.2.0; ip link del flannel.1");
        // Nobody tells host 2: the address of the device is the same.
        // Command by command: the repair has its turn on the same thread.
        Soon.Equal("yes\n", () => One.Shell("ping -q -c 1 -W 1 10.5.2.0 >/dev/null 2>&1 && echo yes || echo no"));
        Two.Shell("ping -c 1 -W 2 10.5.1.0");
        Assert.Equal(0, one.Announcements);
    }

    [Fact]
    public void The_underlay_gets_another_MTU()
    {
        RunningBackend backend = Start(One, Plain);
        Lease[] others = [Cluster.VxlanLease(2, Plain)];
        backend.Apply(others);
        string mac = backend.Mac;
        foreach ((int underlay, int mtu) in (ReadOnlySpan<(int, int)>)[(1400, 1350), (9000, 8950), (1500, 1450)])
        {
            One.Shell($"ip link set eth0 mtu {underlay}");
            int before = backend.Announcements;
            One.Do(() => backend.Backend.Follow(Cluster.Underlay(One)));
            Assert.Equal((mtu, before + 1), (backend.Backend.Mtu, backend.Announcements));
            Soon.Equal($"{mtu}\n", () => One.Shell("ip link show flannel.1 | sed -n 's/.* mtu \\([0-9]*\\) .*/\\1/p'"));
        }
        Assert.Equal(mac, backend.Mac);
    }

    [Fact]
    public void The_underlay_gets_another_address()
    {
        RunningBackend backend = Start(One, Plain);
        backend.Apply(Cluster.VxlanLease(2, Plain));
        Assert.Equal("02:ff:c0:00:02:01", backend.Mac);
        One.Shell("ip address add 192.0.2.9/24 dev eth0; ip address del 192.0.2.1/24 dev eth0");
        IPAddress address = IPAddress.Parse("192.0.2.9");
        One.Do(() => backend.Backend.Follow(Cluster.Underlay(One) with { Address = address, PublicIP = address }));
        // The address of the device follows: the next host to get 192.0.2.1 would derive the same from it.
        Assert.Equal(("02:ff:c0:00:02:09", 1), (backend.Mac, backend.Announcements));
        Soon.Equal("found\n", () => One.Shell("""
            ip -d link show flannel.1 | grep -q 'local 192.0.2.9 ' && ip link show flannel.1 | grep -q 02:ff:c0:00:02:09 &&
            ip route show dev flannel.1 | grep -q '^10.5.2.0/24' && ip neigh show dev flannel.1 | grep -q '^10.5.2.0' && bridge fdb show dev flannel.1 | grep -q '192.0.2.2' && echo found || echo not yet
            """));
    }

    /// <summary>A device with an address of its own choice, as stock makes it, keeps that: nobody else will derive it.</summary>
    [Fact]
    public void An_address_that_stock_chose_survives_another_underlay_address()
    {
        Stock.Program(One, 1, 8472, 1450, "c6:d2:32:6f:8f:44", "nolearning", peers: [2]);
        RunningBackend backend = Start(One, Plain);
        One.Shell("ip address add 192.0.2.9/24 dev eth0; ip address del 192.0.2.1/24 dev eth0");
        IPAddress address = IPAddress.Parse("192.0.2.9");
        One.Do(() => backend.Backend.Follow(Cluster.Underlay(One) with { Address = address, PublicIP = address }));
        backend.Apply(Cluster.VxlanLease(2, Plain));
        Assert.Equal("c6:d2:32:6f:8f:44", backend.Mac);
        Assert.Contains("c6:d2:32:6f:8f:44", One.Shell("ip link show flannel.1"), StringComparison.Ordinal);
    }

    private string View() => HostView.Of(One) + HostView.Of(One, "flannel-v6.1");
}
