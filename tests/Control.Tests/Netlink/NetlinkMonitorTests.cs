using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class NetlinkMonitorTests
{
    [Fact]
    public void Links_addresses_and_routes_are_seen_coming_and_going() => Run(() =>
    {
        using BlockingCollection<NetworkChange> seen = [];
        using NetlinkMonitor monitor = new(seen.Add);
        Shell("ip link add va type veth peer name vb");
        Expect<LinkChanged>(seen, c => c.Link is { Name: "va", Kind: "veth", IsUp: false });
        Shell("ip link set va up mtu 1300; ip link set vb up");
        Expect<LinkChanged>(seen, c => c.Link is { Name: "va", IsUp: true, Mtu: 1300 });
        Shell("ip addr add 10.1.0.1/24 dev va; ip addr add fd00::1/64 dev va nodad");
        Expect<AddressAdded>(seen, c => c.Address.ToString() == "10.1.0.1/24");
        Expect<AddressAdded>(seen, c => c.Address.ToString() == "fd00::1/64");
        Shell("ip route add 10.9.0.0/16 via 10.1.0.2; ip route add fd09::/16 via fd00::2");
        Expect<RouteAdded>(seen, c => c.Route is { Table: Libc.RT_TABLE_MAIN } route && route.Destination == IPNetwork.Parse("10.9.0.0/16"));
        Expect<RouteAdded>(seen, c => c.Route.Destination == IPNetwork.Parse("fd09::/16"));
        Shell("ip route replace 10.9.0.0/16 via 10.1.0.3");
        Expect<RouteAdded>(seen, c => "10.1.0.3".Equals(c.Route.Gateway?.ToString(), StringComparison.Ordinal));
        Shell("ip route del 10.9.0.0/16; ip route del fd09::/16");
        Expect<RouteRemoved>(seen, c => c.Route.Destination == IPNetwork.Parse("10.9.0.0/16"));
        Expect<RouteRemoved>(seen, c => c.Route.Destination == IPNetwork.Parse("fd09::/16"));
        Shell("ip addr del 10.1.0.1/24 dev va; ip addr del fd00::1/64 dev va");
        Expect<AddressRemoved>(seen, c => c.Address.ToString() == "10.1.0.1/24");
        Expect<AddressRemoved>(seen, c => c.Address.ToString() == "fd00::1/64");
        Shell("ip link del va");
        Expect<LinkRemoved>(seen, c => c.Link.Name == "va");
        Assert.DoesNotContain(seen, c => c is Overrun or MonitorFailed);
    });

    [Fact]
    public void Neighbours_and_forwarding_entries_are_told_where_asked_for() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip link set va up; ip link add vx type vxlan id 1 dev va dstport 8472 nolearning; ip link set vx up");
        using BlockingCollection<NetworkChange> seen = [], unasked = [];
        using NetlinkMonitor monitor = NetlinkMonitor.WithNeighbours(seen.Add);
        using NetlinkMonitor other = new(unasked.Add);
        Shell("ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:02 dev vx nud permanent; ip neigh add fd00::2 lladdr 02:00:00:00:00:02 dev vx nud permanent");
        Expect<NeighbourChanged>(seen, c => c.Neighbour.ToString() == "10.1.0.2 lladdr 02:00:00:00:00:02");
        Expect<NeighbourChanged>(seen, c => c.Neighbour.ToString() == "fd00::2 lladdr 02:00:00:00:00:02");
        Shell("bridge fdb add 02:00:00:00:00:02 dev vx dst 192.0.2.2 self permanent");
        Expect<FdbEntryChanged>(seen, c => c.Entry.ToString() == "02:00:00:00:00:02 dst 192.0.2.2");
        Shell("bridge fdb del 02:00:00:00:00:02 dev vx; ip neigh del 10.1.0.2 dev vx");
        Expect<FdbEntryRemoved>(seen, c => c.Entry.ToString() == "02:00:00:00:00:02 dst 192.0.2.2");
        Expect<NeighbourRemoved>(seen, c => c.Neighbour.Address.ToString() == "10.1.0.2");
        // Another address of the device: its permanent neighbours go too, and the kernel says so.
        Shell("ip link set vx address 02:00:00:00:00:09");
        Expect<NeighbourRemoved>(seen, c => c.Neighbour.Address.ToString() == "fd00::2");
        Expect<LinkChanged>(unasked, c => c.Link is { Name: "vx", Address.Value: 0x020000000009 });
        Assert.DoesNotContain(unasked, c => c is NeighbourChanged or NeighbourRemoved or FdbEntryChanged or FdbEntryRemoved);
    });

    [Fact]
    public void A_port_that_leaves_its_bridge_is_not_removed() => Run(() =>
    {
        Shell("ip link add br0 type bridge; ip link add va type veth peer name vb; ip link set va master br0");
        using BlockingCollection<NetworkChange> seen = [];
        using NetlinkMonitor monitor = new(seen.Add);
        Shell("ip link set va nomaster; ip link set vb mtu 1234");
        List<NetworkChange> passed = Expect<LinkChanged>(seen, c => c.Link is { Name: "vb", Mtu: 1234 });
        Assert.Contains(passed, c => c is LinkChanged { Link.Name: "va" });
        Assert.DoesNotContain(passed, c => c is LinkRemoved);
    });

    [Fact]
    public void The_kernel_is_silent_about_the_IPv4_routes_it_drops_with_a_link() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip link set va up; ip addr add 10.1.0.1/24 dev va; ip route add 10.9.0.0/16 dev va");
        using BlockingCollection<NetworkChange> seen = [];
        using NetlinkMonitor monitor = new(seen.Add);
        Shell("ip link set va down; ip link set vb mtu 1234");
        List<NetworkChange> passed = Expect<LinkChanged>(seen, c => c.Link is { Name: "vb", Mtu: 1234 });
        Assert.Empty(Ip("route show 10.9.0.0/16"));
        Assert.Contains(passed, c => c is LinkChanged { Link: { Name: "va", IsUp: false } });
        Assert.DoesNotContain(passed, c => c is RouteRemoved removed && removed.Route.Destination == IPNetwork.Parse("10.9.0.0/16"));
    });

    [Fact]
    public void What_did_not_fit_is_told_once_and_nothing_older_follows() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        using BlockingCollection<NetworkChange> seen = [];
        using ManualResetEventSlim release = new();
        using ManualResetEventSlim blocked = new();
        using NetlinkMonitor monitor = new(change =>
        {
            seen.Add(change);
            blocked.Set();
            release.Wait();
        }, receiveBuffer: 1);
        Shell("ip link set va mtu 1001");
        Assert.True(blocked.Wait(5000));
        for (int mtu = 1002; mtu <= 1040; mtu++) Shell($"ip link set va mtu {mtu}");
        release.Set();
        Expect<Overrun>(seen, _ => true);
        Shell("ip link set va mtu 1041");
        List<NetworkChange> after = Expect<LinkChanged>(seen, c => c.Link.Mtu == 1041);
        Assert.DoesNotContain(after, c => c is LinkChanged { Link: { Name: "va", Mtu: < 1041 and > 1001 } });
        Assert.DoesNotContain(after, c => c is Overrun);
    });

    [Fact]
    public void A_datagram_that_is_not_whole_counts_as_lost()
    {
        using FakeKernel kernel = new(_ => []);
        using BlockingCollection<NetworkChange> seen = [];
        using NetlinkMonitor monitor = new(kernel.Channel, seen.Add);
        kernel.Push(Message(16, 0, 0, LinkHeader(7), Attribute(3, Text("ff0")))[..^4]);
        Expect<Overrun>(seen, _ => true);
        kernel.Push(Message(16, 0, 0, LinkHeader(7), Attribute(3, Text("ff0"))));
        Expect<LinkChanged>(seen, c => c.Link.Name == "ff0");
    }

    [Fact]
    public void Dispose_is_quick_when_nothing_happens_and_leaves_no_thread() => Run(() =>
    {
        using (NetlinkMonitor monitor = new(_ => { }))
        {
            Assert.True(SpinWait.SpinUntil(() => ThreadNames().Contains("netlink-monitor"), TimeSpan.FromSeconds(10)));
        }
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < 100; i++)
        {
            using NetlinkMonitor monitor = new(_ => { });
        }
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 5);
        // The kernel cuts a thread's name to 15 characters. Other tests run monitors at the same time: wait for theirs too.
        bool gone = SpinWait.SpinUntil(() => !ThreadNames().Contains("netlink-monitor"), TimeSpan.FromSeconds(20));
        Assert.True(gone, "a thread named netlink-monitor is left");
    });

    [Fact]
    public void Nothing_is_called_after_Dispose() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        int calls = 0, atDispose;
        using ManualResetEventSlim called = new();
        NetlinkMonitor monitor = new(_ =>
        {
            Interlocked.Increment(ref calls);
            called.Set();
            Thread.Sleep(20);
        });
        Shell("for mtu in $(seq 1000 1050); do echo link set va mtu $mtu; done | ip -batch -");
        Assert.True(called.Wait(5000));
        monitor.Dispose();
        atDispose = calls;
        Assert.InRange(atDispose, 1, 50);
        Shell("ip link set va mtu 1400");
        Assert.Equal(atDispose, calls);
        monitor.Dispose();
    });

    /// <summary>Waits for a change; returns what came before it.</summary>
    private static List<NetworkChange> Expect<T>(BlockingCollection<NetworkChange> seen, Func<T, bool> matches)
        where T : NetworkChange
    {
        List<NetworkChange> passed = [];
        while (seen.TryTake(out NetworkChange? change, TimeSpan.FromSeconds(10)))
        {
            if (change is T wanted && matches(wanted)) return passed;
            passed.Add(change);
        }
        Assert.Fail($"no such {typeof(T).Name} among:\n{string.Join('\n', passed)}");
        return passed;
    }

    private static string[] ThreadNames() =>
    [
        .. Directory.EnumerateDirectories("/proc/self/task").Select(task =>
        {
            try
            {
                return File.ReadAllText(Path.Combine(task, "comm")).Trim();
            }
            catch (IOException)
            {
                return "";
            }
        }),
    ];
}
