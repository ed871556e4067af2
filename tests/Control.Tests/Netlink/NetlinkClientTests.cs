using System.Diagnostics;
using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class NetlinkClientTests
{
    [Fact]
    public void The_link_that_owns_an_address_is_found() => Run(() =>
    {
        Shell("""
            ip link add va type veth peer name vb; ip link set va up mtu 1400; ip link set vb up
            ip addr add 192.0.2.1/24 dev va; ip addr add fd00::1/64 dev va nodad; ip addr add 10.1.0.1 peer 10.2.0.1/32 dev vb
            """);
        using NetlinkClient netlink = new();
        Assert.Equal(("va", 1400), Find("192.0.2.1"));
        Assert.Equal(("va", 1400), Find("fd00::1"));
        Assert.Equal(("vb", 1500), Find("10.1.0.1"));
        Assert.Equal("lo", Find("127.0.0.1")?.Name);
        Assert.Null(Find("192.0.2.2"));
        // The other end of a point-to-point link is not ours.
        Assert.Null(Find("10.2.0.1"));
        // 127.0.0.2 is local by a route, but no link owns it.
        Assert.Null(Find("127.0.0.2"));

        (string Name, int Mtu)? Find(string address) =>
            netlink.FindLinkByAddress(IPAddress.Parse(address)) is { } link ? (link.Name, link.Mtu) : null;
    });

    [Fact]
    public void Of_several_owners_the_one_that_is_up_is_found() => Run(() =>
    {
        Shell("""
            ip link add va index 10 type veth peer name vb index 11; ip link set vb up
            ip addr add 192.0.2.1/24 dev vb; ip addr add 192.0.2.1/24 dev va
            """);
        using NetlinkClient netlink = new();
        Assert.Equal("vb", netlink.FindLinkByAddress(IPAddress.Parse("192.0.2.1"))?.Name);
        Shell("ip link set vb down");
        Assert.Equal("va", netlink.FindLinkByAddress(IPAddress.Parse("192.0.2.1"))?.Name);
    });

    [Fact]
    public void A_link_local_address_is_found_on_the_link_of_its_scope() => Run(() =>
    {
        Shell("""
            ip link add va type veth peer name vb; ip link set va up; ip link set vb up
            ip addr add fe80::7/64 dev va nodad; ip addr add fe80::7/64 dev vb nodad
            """);
        using NetlinkClient netlink = new();
        foreach (string name in new[] { "va", "vb" })
        {
            int index = netlink.Links.Get(name).Index;
            Assert.Equal(name, netlink.FindLinkByAddress(IPAddress.Parse($"fe80::7%{index}"))?.Name);
        }
        Assert.Null(netlink.FindLinkByAddress(IPAddress.Parse("fe80::7%1")));
    });

    [Fact]
    public void The_way_to_a_destination_is_what_the_kernel_would_take() => Run(() =>
    {
        Shell("""
            ip link add va type veth peer name vb; ip link set va up mtu 1400; ip link set vb up
            ip addr add 192.0.2.1/24 dev va; ip addr add fd00::1/64 dev va nodad
            ip route add 10.0.0.0/8 via 192.0.2.9; ip route add 10.1.0.0/16 via 192.0.2.9 mtu 1300; ip route add 10.2.0.0/16 via 192.0.2.9 mtu 9000
            ip route add prohibit 10.3.0.0/16; ip -6 route add fd05::/16 via fd00::9 mtu 1280
            """);
        using NetlinkClient netlink = new();
        Assert.Equal("va 192.0.2.1 - 1400", Find("192.0.2.7"));
        Assert.Equal("va 192.0.2.1 192.0.2.9 1400", Find("10.9.9.9"));
        Assert.Equal("va 192.0.2.1 192.0.2.9 1300", Find("10.1.2.3"));
        // A route may promise more than its link can carry.
        Assert.Equal("va 192.0.2.1 192.0.2.9 1400", Find("10.2.2.3"));
        Assert.Equal("va fd00::1 fd00::9 1280", Find("fd05::1"));
        Assert.Equal("lo 127.0.0.1 - 65536", Find("127.0.0.1"));
        Assert.Equal("lo 192.0.2.1 - 65536", Find("192.0.2.1"));
        Assert.Null(Find("203.0.113.1"));
        Assert.Null(Find("2001:db8::1"));
        Assert.Equal("cannot find the route to 10.3.0.1: Permission denied (errno 13)",
            Assert.Throws<NetlinkException>(() => Find("10.3.0.1")).Message);

        string? Find(string destination) => netlink.FindRoute(IPAddress.Parse(destination)) is { } way
            ? $"{way.Link.Name} {way.Source} {way.Gateway?.ToString() ?? "-"} {way.Mtu}"
            : null;
    });

    [Fact]
    public void A_client_stays_in_the_namespace_it_was_made_in() => Run(() =>
    {
        using NetlinkClient outer = new();
        Shell("ip link add va type veth peer name vb");
        Run(() =>
        {
            using NetlinkClient inner = new();
            Assert.Equal(["lo"], inner.Links.List().Select(link => link.Name));
            Assert.Equal(3, outer.Links.List().Count);
        });
    });

    [Fact]
    public void What_another_process_sends_to_our_port_is_not_believed() => Run(() =>
    {
        // Both are root here, so the kernel lets the forger through; both get port ids of their own.
        NetlinkChannel channel = Forger.OpenVictim(out uint port);
        using NetlinkSocket socket = new(channel, TimeSpan.FromSeconds(5));
        Forger.Send(port, [1, 2, 3, 4]);
        Assert.Equal(0, channel.Wait(5000).Errno);
        Assert.Equal(Errno.EAGAIN, channel.TryReceive(out _).Errno);
        // The forged datagram went, the kernel's own still arrives.
        Assert.Equal("lo", new LinkClient(socket).Get(1).Name);
    });

    [Fact]
    public void Sockets_are_closed_with_their_owner() => Run(() =>
    {
        string before = Shell("cat /proc/net/netlink | wc -l");
        for (int i = 0; i < 50; i++)
        {
            using NetlinkClient netlink = new();
            Assert.NotNull(netlink.Links.Find("lo"));
            using NetlinkMonitor monitor = new(_ => { });
        }
        Assert.Equal(before, Shell("cat /proc/net/netlink | wc -l"));
    });

    [Fact]
    public void Lists_are_whole_while_others_change_the_tables() => Run(() =>
    {
        Shell("for i in $(seq 1 100); do echo link add v$i type veth peer name p$i; done | ip -batch -");
        using NetlinkClient netlink = new();
        Link va = netlink.Links.Get("v50");
        using ManualResetEventSlim stop = new();
        int changes = 0;
        Exception? failure = null;
        Thread churn = new(() =>
        {
            try
            {
                using NetlinkClient other = new();
                IPAddress address = IPAddress.Parse("10.1.0.1");
                while (!stop.Wait(1))
                {
                    other.Addresses.Add(va, address, 32);
                    other.Links.SetMtu(va, 1000 + changes % 100);
                    other.Addresses.Delete(va, address, 32);
                    Interlocked.Increment(ref changes);
                }
            }
            catch (NetlinkException e)
            {
                failure = e;
            }
        });
        churn.Start();
        try
        {
            // Lists take no lock in the kernel, changes take RTNL, which the end of other tests' namespaces may hold for a second.
            long started = Stopwatch.GetTimestamp();
            for (int i = 0; i < 200 || Volatile.Read(ref changes) < 100; i++)
            {
                Assert.True(Stopwatch.GetElapsedTime(started).TotalSeconds < 40, $"only {changes} changes in 40 s");
                Assert.Equal(201, netlink.Links.List().Select(link => link.Index).Distinct().Count());
                Assert.InRange(netlink.Addresses.List().Count, 2, 3);
            }
        }
        finally
        {
            stop.Set();
            churn.Join();
        }
        Assert.Null(failure);
    });
}
