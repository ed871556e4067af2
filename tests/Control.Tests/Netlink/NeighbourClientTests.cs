using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class NeighbourClientTests
{
    private static readonly MacAddress s_mac = new(0x020000000002);

    [Fact]
    public void Requests_are_these_bytes()
    {
        using FakeKernel kernel = new(request => [Acknowledge(Split(request)[^1], 0)]);
        using NetlinkSocket socket = kernel.Connect();
        NeighbourClient neighbours = new(socket);
        Neighbour ipv4 = new(7, IPAddress.Parse("10.5.2.0"), s_mac), ipv6 = new(7, IPAddress.Parse("fd05:0:0:2::"), s_mac);
        neighbours.Set(ipv4);
        neighbours.Set(ipv6);
        neighbours.TryDelete(ipv4);
        NetlinkBatch batch = new();
        NeighbourClient.Set(batch, ipv4);
        NeighbourClient.Delete(batch, ipv6);
        Assert.All(socket.Execute(batch), Assert.Null);

        byte[] ipv4Key = Join(U8(2, 0), U16(0), U32(7), U16(0x80), U8(0, 1), Attribute(1, U8(10, 5, 2, 0)));
        byte[] ipv6Key = Join(U8(10, 0), U16(0), U32(7), U16(0x80), U8(0, 1), Attribute(1, IPAddress.Parse("fd05:0:0:2::").GetAddressBytes()));
        byte[] mac = Attribute(2, U8(2, 0, 0, 0, 0, 2));
        Assert.Equal(
        [
            Message(28, 0x505, 1, ipv4Key, mac),
            Message(28, 0x505, 2, ipv6Key, mac),
            Message(29, 5, 3, ipv4Key),
            Join(Message(28, 0x501, 4, ipv4Key, mac), Message(29, 5, 5, ipv6Key)),
        ], kernel.Requests);
    }

    [Fact]
    public void Neighbours_are_what_ip_shows() => Run(() =>
    {
        Shell("""
            ip link add va type veth peer name vb; ip link set va up; ip link set vb up
            ip neigh add 10.1.0.2 lladdr 02:00:00:00:00:02 dev va nud permanent
            ip neigh add 10.1.0.3 lladdr 02:00:00:00:00:03 dev va nud stale
            ip neigh add fd00::2 lladdr 02:00:00:00:00:02 dev va nud permanent
            ip neigh add 10.1.0.4 lladdr 02:00:00:00:00:04 dev vb nud permanent
            ip neigh add proxy 10.1.0.5 dev va
            """);
        using NetlinkClient netlink = new();
        Link va = netlink.Links.Get("va");
        // The kernel makes multicast entries (NoArp) of its own at any moment, also between the two looks.
        string[] wanted = [.. Ip("neigh show dev va nud all").Select(Describe).Where(IsOurs).Order(StringComparer.Ordinal)];
        string[] found = [.. netlink.Neighbours.List(va).Select(n => $"{n.Address} {(n.Mac.IsZero ? "" : n.Mac)} {n.State}").Where(IsOurs).Order(StringComparer.Ordinal)];

        static bool IsOurs(string entry) => !entry.EndsWith(" NoArp", StringComparison.Ordinal);

        Assert.Equal(wanted, found);
        Assert.Contains("10.1.0.2 02:00:00:00:00:02 Permanent", found);
        List<Neighbour> ipv4 = netlink.Neighbours.List(va, AddressFamily.InterNetwork);
        Assert.All(ipv4, neighbour => Assert.Equal(AddressFamily.InterNetwork, neighbour.Address.AddressFamily));
        Assert.Equal(2, ipv4.Count(neighbour => neighbour.Address.ToString().StartsWith("10.1.0.", StringComparison.Ordinal)));
    });

    [Fact]
    public void An_entry_is_made_replaced_and_removed() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip link set va up");
        using NetlinkClient netlink = new();
        Link va = netlink.Links.Get("va");
        foreach (string address in (string[])["10.1.0.2", "fd00::2"])
        {
            Neighbour first = new(va.Index, IPAddress.Parse(address), s_mac);
            netlink.Neighbours.Set(first);
            Assert.Equal($"{address} 02:00:00:00:00:02 Permanent", Describe(Assert.Single(Ip($"neigh show {address} dev va"))));
            netlink.Neighbours.Set(first with { Mac = new(0x020000000003) });
            Assert.Equal($"{address} 02:00:00:00:00:03 Permanent", Describe(Assert.Single(Ip($"neigh show {address} dev va"))));
            Assert.True(netlink.Neighbours.TryDelete(first));
            Assert.Empty(Ip($"neigh show {address} dev va"));
            Assert.False(netlink.Neighbours.TryDelete(first));
        }
        NetlinkException refused = Assert.Throws<NetlinkException>(() => netlink.Neighbours.Set(new(9999, IPAddress.Parse("10.1.0.2"), s_mac)));
        Assert.StartsWith("cannot set neighbour 10.1.0.2 lladdr 02:00:00:00:00:02: No such device", refused.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void What_is_no_neighbour_is_not_understood()
    {
        Assert.False(Parses(28, U8(7, 0), U16(0), U32(7), U16(0x80), U8(2, 0), Attribute(2, U8(2, 0, 0, 0, 0, 2))));
        Assert.False(Parses(28, U8(2, 0), U16(0), U32(7), U16(0x80), U8(8, 0), Attribute(1, U8(10, 5, 2, 0))));
        Assert.False(Parses(28, U8(2, 0), U16(0), U32(7), U16(0x80), U8(0, 0)));
        Assert.False(Parses(28, U8(2, 0), U16(0), U32(7), U16(0x80), U8(0, 0), Attribute(1, U8(10, 5, 2, 0)), U8(9)));
        Assert.False(Parses(28, U8(2, 0), U16(0)));
        Assert.True(Parses(29, U8(2, 0), U16(0), U32(7), U16(0x20), U8(0, 0), Attribute(1, U8(10, 5, 2, 0))));

        static bool Parses(ushort type, params byte[][] parts)
        {
            NetlinkMessageReader reader = new(Message(type, 0, 1, parts));
            return reader.TryRead(out NetlinkMessage message) && Neighbour.TryParse(message, out _);
        }
    }

    private static string Describe(JsonElement shown)
    {
        string mac = shown.TryGetProperty("lladdr", out JsonElement lladdr) ? lladdr.GetString()! : "";
        NeighbourState state = Enum.Parse<NeighbourState>(shown.GetProperty("state")[0].GetString()!, ignoreCase: true);
        return $"{shown.GetProperty("dst").GetString()} {mac} {state}";
    }
}
