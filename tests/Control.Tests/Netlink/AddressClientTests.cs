using System.Net;
using System.Text.Json;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class AddressClientTests
{
    private static readonly Link s_link = new() { Index = 7, Name = "ff0" };

    [Fact]
    public void Requests_are_these_bytes()
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, 0)]);
        using NetlinkSocket socket = kernel.Connect();
        AddressClient addresses = new(socket);
        addresses.Add(s_link, IPAddress.Parse("10.5.1.0"), 32);
        addresses.Add(s_link, IPAddress.Parse("10.5.1.1"), 20);
        addresses.Add(s_link, IPAddress.Parse("fd00::1"), 64, AddressFlags.NoDad);
        addresses.Delete(s_link, IPAddress.Parse("10.5.1.0"), 32);
        byte[] v6 = U8(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
        Assert.Equal(
        [
            Message(20, 0x605, 1, U8(2, 32, 0, 0), U32(7), Attribute(2, U8(10, 5, 1, 0)), Attribute(1, U8(10, 5, 1, 0))),
            Message(20, 0x605, 2, U8(2, 20, 0, 0), U32(7), Attribute(2, U8(10, 5, 1, 1)), Attribute(1, U8(10, 5, 1, 1)),
                Attribute(4, U8(10, 5, 15, 255))),
            Message(20, 0x605, 3, U8(10, 64, 0, 0), U32(7), Attribute(2, v6), Attribute(1, v6), Attribute(8, U32(2))),
            Message(21, 5, 4, U8(2, 32, 0, 0), U32(7), Attribute(2, U8(10, 5, 1, 0)), Attribute(1, U8(10, 5, 1, 0))),
        ], kernel.Requests);
    }

    [Theory]
    [InlineData("10.5.1.0", 32, null)]
    [InlineData("10.5.1.0", 31, null)]
    [InlineData("10.5.1.1", 30, "10.5.1.3")]
    [InlineData("10.5.1.1", 24, "10.5.1.255")]
    [InlineData("10.5.1.1", 0, "255.255.255.255")]
    public void IPv4_addresses_are_added_and_deleted(string text, int prefixLength, string? broadcast) => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        using NetlinkClient netlink = new();
        Link va = netlink.Links.Get("va");
        IPAddress ip = IPAddress.Parse(text);
        netlink.Addresses.Add(va, ip, prefixLength);
        JsonElement shown = Assert.Single(Ip("addr show dev va")).GetProperty("addr_info")[0];
        Assert.Equal((text, prefixLength, "global"),
            (shown.GetProperty("local").GetString(), shown.GetProperty("prefixlen").GetInt32(), shown.GetProperty("scope").GetString()));
        Assert.Equal(broadcast, shown.TryGetProperty("broadcast", out JsonElement b) ? b.GetString() : null);
        InterfaceAddress address = Assert.Single(netlink.Addresses.List(va));
        Assert.Equal((ip, prefixLength, va.Index, null), (address.Address, address.PrefixLength, address.LinkIndex, address.Peer));
        Assert.Equal(broadcast, address.Broadcast?.ToString());
        Assert.Equal(AddressFlags.Permanent, address.Flags);
        Assert.False(netlink.Addresses.TryAdd(va, ip, prefixLength));
        Assert.Equal($"cannot add address {text}/{prefixLength} dev va: File exists (errno 17)",
            Assert.Throws<NetlinkException>(() => netlink.Addresses.Add(va, ip, prefixLength)).Message);
        netlink.Addresses.Delete(va, ip, prefixLength);
        Assert.Empty(Ip("addr show dev va")[0].GetProperty("addr_info").EnumerateArray());
        Assert.False(netlink.Addresses.TryDelete(va, ip, prefixLength));
        Assert.Equal(Errno.EADDRNOTAVAIL, Assert.Throws<NetlinkException>(() => netlink.Addresses.Delete(va, ip, prefixLength)).Errno);
    });

    [Fact]
    public void IPv6_addresses_are_usable_at_once_if_asked() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip link set va up; ip link set vb up");
        using NetlinkClient netlink = new();
        Link va = netlink.Links.Get("va");
        IPAddress now = IPAddress.Parse("fd00:1::1"), later = IPAddress.Parse("fd00:2::1");
        netlink.Addresses.Add(va, now, 64, AddressFlags.NoDad);
        netlink.Addresses.Add(va, later, 128);
        List<InterfaceAddress> addresses = netlink.Addresses.List(va);
        InterfaceAddress first = Assert.Single(addresses, a => a.Address.Equals(now));
        Assert.Equal((64, AddressFlags.NoDad | AddressFlags.Permanent), (first.PrefixLength, first.Flags));
        Assert.Equal(AddressFlags.Tentative, Assert.Single(addresses, a => a.Address.Equals(later)).Flags & AddressFlags.Tentative);
        JsonElement[] shown = [.. Ip("-6 addr show dev va scope global")[0].GetProperty("addr_info").EnumerateArray()
            .Where(a => a.TryGetProperty("local", out _))];
        Assert.Equal(["fd00:1::1/64", "fd00:2::1/128"],
            shown.Select(a => $"{a.GetProperty("local").GetString()}/{a.GetProperty("prefixlen").GetInt32()}").Order());
        netlink.Addresses.Delete(va, now, 64);
        netlink.Addresses.Delete(va, later, 128);
        Assert.DoesNotContain(netlink.Addresses.List(va), a => a.Scope == RouteScope.Universe);
        Assert.False(netlink.Addresses.TryDelete(va, now, 64));
    });

    [Fact]
    public void Peers_scopes_and_both_families_are_read() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip addr add 10.1.0.1 peer 10.2.0.1/32 dev va; ip addr add 10.3.0.1/24 scope link dev va");
        using NetlinkClient netlink = new();
        List<InterfaceAddress> addresses = netlink.Addresses.List();
        InterfaceAddress local = Assert.Single(addresses, a => a.Address.Equals(IPAddress.Loopback));
        Assert.Equal((1, 8, RouteScope.Host), (local.LinkIndex, local.PrefixLength, local.Scope));
        Assert.Single(addresses, a => a.Address.Equals(IPAddress.IPv6Loopback) && a.PrefixLength == 128 && a.Peer is null);
        Assert.Equal("10.2.0.1", Assert.Single(addresses, a => a.ToString() == "10.1.0.1/32").Peer?.ToString());
        Assert.Equal(RouteScope.Link, Assert.Single(addresses, a => a.ToString() == "10.3.0.1/24").Scope);
    });

    [Fact]
    public void A_link_without_prefix_route_gets_none() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip link set va up");
        using NetlinkClient netlink = new();
        Link va = netlink.Links.Get("va");
        netlink.Addresses.Add(va, IPAddress.Parse("10.1.0.1"), 24, AddressFlags.NoPrefixRoute);
        Assert.Empty(Ip("route show"));
        netlink.Addresses.Add(va, IPAddress.Parse("10.2.0.1"), 24);
        Assert.Single(Ip("route show"));
    });

    [Fact]
    public void A_prefix_longer_than_the_address_is_refused_before_the_kernel_sees_it()
    {
        using FakeKernel kernel = new(_ => []);
        using NetlinkSocket socket = kernel.Connect();
        Assert.Throws<ArgumentOutOfRangeException>(() => new AddressClient(socket).Add(s_link, IPAddress.Parse("10.0.0.1"), 33));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AddressClient(socket).Add(s_link, IPAddress.Parse("10.0.0.1"), -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new AddressClient(socket).Add(s_link, IPAddress.Parse("fd00::1"), 129));
        Assert.Empty(kernel.Requests);
    }
}
