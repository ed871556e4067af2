using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class RouteClientTests
{
    private static readonly Link s_link = new() { Index = 7, Name = "ff0" };

    [Fact]
    public void Requests_are_these_bytes()
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, 0)]);
        using NetlinkSocket socket = kernel.Connect();
        RouteClient routes = new(socket, new(socket));
        Route network = Route.OnLink(IPNetwork.Parse("10.5.0.0/16"), s_link, IPAddress.Parse("10.5.1.0"));
        Route full = Route.Via(IPNetwork.Parse("0.0.0.0/0"), s_link, IPAddress.Parse("10.5.1.1")) with
        {
            IsOnLink = true,
            Metric = 20,
            Table = 1000,
            Mtu = 1400,
            Protocol = RouteProtocol.Static,
        };
        routes.Add(network);
        routes.Replace(full);
        routes.Delete(network);
        Assert.Equal(
        [
            Message(24, 0x605, 1, U8(2, 16, 0, 0, 254, 3, 253, 1), U32(0),
                Attribute(1, U8(10, 5, 0, 0)), Attribute(4, U32(7)), Attribute(7, U8(10, 5, 1, 0))),
            Message(24, 0x505, 2, U8(2, 0, 0, 0, 252, 4, 0, 1), U32(4),
                Attribute(4, U32(7)), Attribute(5, U8(10, 5, 1, 1)), Attribute(6, U32(20)), Attribute(15, U32(1000)),
                Attribute(8, Attribute(2, U32(1400)))),
            Message(25, 5, 3, U8(2, 16, 0, 0, 254, 3, 253, 1), U32(0),
                Attribute(1, U8(10, 5, 0, 0)), Attribute(4, U32(7)), Attribute(7, U8(10, 5, 1, 0))),
        ], kernel.Requests);
    }

    [Fact]
    public void The_route_of_the_network_is_added_once_and_deleted_once() => Run(() =>
    {
        Link ff0 = MakeLink("10.5.1.0/32");
        using NetlinkClient netlink = new();
        Route route = Route.OnLink(IPNetwork.Parse("10.5.0.0/16"), ff0, IPAddress.Parse("10.5.1.0"));
        netlink.Routes.Add(route);
        JsonElement shown = Assert.Single(Ip("route show"));
        Assert.Equal("10.5.0.0/16 dev va link 10.5.1.0", Summary(shown));
        Assert.Equal(route, Assert.Single(netlink.Routes.List(family: AddressFamily.InterNetwork)));
        Assert.False(netlink.Routes.TryAdd(route));
        NetlinkException e = Assert.Throws<NetlinkException>(() => netlink.Routes.Add(route));
        Assert.Equal("cannot add route 10.5.0.0/16 dev va: File exists (errno 17)", e.Message);
        netlink.Routes.Delete(route);
        Assert.Empty(Ip("route show"));
        Assert.False(netlink.Routes.TryDelete(route));
        e = Assert.Throws<NetlinkException>(() => netlink.Routes.Delete(route));
        Assert.Equal("cannot delete route 10.5.0.0/16 dev va: No such process (errno 3)", e.Message);
    });

    [Fact]
    public void Replace_changes_the_route_in_place() => Run(() =>
    {
        Link va = MakeLink("10.1.0.1/24");
        using NetlinkClient netlink = new();
        Route route = Route.Via(IPNetwork.Parse("10.9.0.0/16"), va, IPAddress.Parse("10.1.0.2"));
        netlink.Routes.Replace(route);
        Route other = route with { Gateway = IPAddress.Parse("10.1.0.3"), Mtu = 1300, PreferredSource = IPAddress.Parse("10.1.0.1") };
        netlink.Routes.Replace(other);
        Assert.Equal(other, Assert.Single(netlink.Routes.List(), r => r.Protocol != RouteProtocol.Kernel));
        JsonElement shown = Assert.Single(Ip("route show 10.9.0.0/16"));
        Assert.Equal("10.1.0.3", shown.GetProperty("gateway").GetString());
        Assert.Equal(1300, shown.GetProperty("metrics")[0].GetProperty("mtu").GetInt32());
    });

    [Fact]
    public void Only_the_exact_route_is_deleted() => Run(() =>
    {
        Link va = MakeLink("10.1.0.1/24");
        using NetlinkClient netlink = new();
        Route route = Route.Via(IPNetwork.Parse("10.9.0.0/16"), va, IPAddress.Parse("10.1.0.2"));
        netlink.Routes.Add(route);
        Assert.False(netlink.Routes.TryDelete(route with { Gateway = IPAddress.Parse("10.1.0.3") }));
        Assert.False(netlink.Routes.TryDelete(route with { Protocol = RouteProtocol.Static }));
        Assert.False(netlink.Routes.TryDelete(route with { Metric = 5 }));
        Assert.Contains(route, netlink.Routes.List());
        Assert.True(netlink.Routes.TryDelete(route));
    });

    [Fact]
    public void A_gateway_out_of_reach_needs_onlink() => Run(() =>
    {
        Link va = MakeLink("10.1.0.1/32");
        using NetlinkClient netlink = new();
        Route route = Route.Via(IPNetwork.Parse("10.9.0.0/24"), va, IPAddress.Parse("10.9.0.0"));
        NetlinkException e = Assert.Throws<NetlinkException>(() => netlink.Routes.Add(route));
        Assert.Equal("cannot add route 10.9.0.0/24 via 10.9.0.0 dev va: Network is unreachable (errno 101): Nexthop has invalid gateway", e.Message);
        netlink.Routes.Add(route with { IsOnLink = true });
        Assert.Equal("onlink", Ip("route show 10.9.0.0/24")[0].GetProperty("flags")[0].GetString());
        Assert.Equal(route with { IsOnLink = true }, Assert.Single(netlink.Routes.List(family: AddressFamily.InterNetwork)));
    });

    [Fact]
    public void IPv6_routes_work_alike() => Run(() =>
    {
        Link va = MakeLink("fd00:1::1/64");
        using NetlinkClient netlink = new();
        Route direct = Route.OnLink(IPNetwork.Parse("fd00:5::/48"), va);
        Route via = Route.Via(IPNetwork.Parse("::/0"), va, IPAddress.Parse("fd00:1::2"));
        netlink.Routes.Add(direct);
        netlink.Routes.Add(via);
        Assert.False(netlink.Routes.TryAdd(via));
        string[] shown = [.. Ip("-6 route show proto boot").Select(r => r.GetProperty("dst").GetString()!)];
        Assert.Equal(["default", "fd00:5::/48"], shown.Order());
        List<Route> routes = [.. netlink.Routes.List().Where(r => r.Protocol == RouteProtocol.Boot)];
        Assert.Contains(direct with { Metric = 1024 }, routes);
        Assert.Contains(via with { Metric = 1024 }, routes);
        Assert.All(netlink.Routes.List(family: AddressFamily.InterNetworkV6), r => Assert.Equal(AddressFamily.InterNetworkV6, r.Destination.BaseAddress.AddressFamily));
        foreach (Route route in routes) netlink.Routes.Delete(route);
        Assert.Empty(Ip("-6 route show proto boot"));
    });

    [Fact]
    public void Tables_are_kept_apart() => Run(() =>
    {
        Link va = MakeLink("10.1.0.1/24");
        using NetlinkClient netlink = new();
        Route route = Route.OnLink(IPNetwork.Parse("10.9.0.0/16"), va) with { Table = 1000 };
        netlink.Routes.Add(route);
        Assert.Single(Ip("route show table 1000"));
        Assert.Equal(route, Assert.Single(netlink.Routes.List(1000)));
        Assert.DoesNotContain(route.Destination, netlink.Routes.List().Select(r => r.Destination));
        Assert.Contains(netlink.Routes.List(Libc.RT_TABLE_LOCAL), r => r.Type == RouteType.Local && r.Destination == IPNetwork.Parse("10.1.0.1/32"));
        netlink.Routes.Delete(route);
        Assert.Empty(netlink.Routes.List(1000));
    });

    [Fact]
    public void A_route_by_a_link_that_is_gone_names_its_index() => Run(() =>
    {
        Link va = MakeLink("10.1.0.1/24");
        using NetlinkClient netlink = new();
        netlink.Links.Delete(va);
        Route route = Route.OnLink(IPNetwork.Parse("10.9.0.0/16"), va);
        NetlinkException e = Assert.Throws<NetlinkException>(() => netlink.Routes.Add(route));
        Assert.StartsWith($"cannot add route 10.9.0.0/16 dev #{va.Index}: No such device (errno 19)", e.Message, StringComparison.Ordinal);
        Assert.False(netlink.Routes.TryDelete(route));
    });

    [Fact]
    public void Ten_thousand_routes_are_listed_whole() => Run(() =>
    {
        Link va = MakeLink("10.1.0.1/32");
        Shell("for i in $(seq 0 9999); do echo route add 11.$((i / 256)).$((i % 256)).0/24 dev va; done | ip -batch -");
        using NetlinkClient netlink = new();
        List<Route> routes = netlink.Routes.List(family: AddressFamily.InterNetwork);
        Assert.Equal(10_000, routes.Count);
        Assert.Equal(10_000, routes.Select(r => r.Destination).Distinct().Count());
        Assert.All(routes, r => Assert.Equal(va.Index, r.LinkIndex));
    });

    /// <summary>A veth end "va" that is up, with an address.</summary>
    private static Link MakeLink(string address)
    {
        Shell($"ip link add va type veth peer name vb; ip link set va up; ip link set vb up; ip addr add {address} dev va nodad");
        using NetlinkClient netlink = new();
        return netlink.Links.Get("va");
    }

    private static string Summary(JsonElement route) =>
        $"{route.GetProperty("dst").GetString()} dev {route.GetProperty("dev").GetString()} {route.GetProperty("scope").GetString()} {route.GetProperty("prefsrc").GetString()}";
}
