using System.Net;
using System.Text.Json;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Packets;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class FdbClientTests
{
    private static readonly MacAddress s_mac = new(0x020000000002);

    private const string MakeDevice =
        "ip link add va type veth peer name vb; ip link add vx type vxlan id 1 dev va local 192.0.2.1 dstport 8472 nolearning; ip link set vx up";

    [Fact]
    public void Requests_are_these_bytes()
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, 0)]);
        using NetlinkSocket socket = kernel.Connect();
        FdbClient fdb = new(socket);
        FdbEntry entry = new(7, s_mac, IPAddress.Parse("192.0.2.2"));
        fdb.Set(entry);
        fdb.TryDelete(entry);
        byte[] body = Join(U8(7, 0), U16(0), U32(7), U16(0x80), U8(2, 0), Attribute(1, U8(192, 0, 2, 2)), Attribute(2, U8(2, 0, 0, 0, 0, 2)));
        Assert.Equal([Message(28, 0x505, 1, body), Message(29, 5, 2, body)], kernel.Requests);
    }

    [Fact]
    public void An_entry_is_made_replaced_and_removed() => Run(() =>
    {
        Shell(MakeDevice);
        using NetlinkClient netlink = new();
        Link vx = netlink.Links.Get("vx");
        FdbEntry first = new(vx.Index, s_mac, IPAddress.Parse("192.0.2.2"));
        netlink.Fdb.Set(first);
        Assert.Equal("02:00:00:00:00:02 dst 192.0.2.2 self permanent", Bridge());
        Assert.Equal([first], netlink.Fdb.List(vx));
        netlink.Fdb.Set(first with { Destination = IPAddress.Parse("192.0.2.3") });
        Assert.Equal("02:00:00:00:00:02 dst 192.0.2.3 self permanent", Bridge());
        // The kernel calls this a success and leaves the entry: what was read before it changed deletes nothing new.
        Assert.True(netlink.Fdb.TryDelete(first));
        Assert.Equal("02:00:00:00:00:02 dst 192.0.2.3 self permanent", Bridge());
        Assert.True(netlink.Fdb.TryDelete(first with { Destination = IPAddress.Parse("192.0.2.3") }));
        Assert.Equal("", Bridge());
        Assert.False(netlink.Fdb.TryDelete(first));
        NetlinkException refused = Assert.Throws<NetlinkException>(() => netlink.Fdb.Set(first with { LinkIndex = 9999 }));
        Assert.StartsWith("cannot set forwarding entry 02:00:00:00:00:02 dst 192.0.2.2: No such device", refused.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void Entries_are_what_bridge_shows() => Run(() =>
    {
        Shell($"""
            {MakeDevice}
            ip link add vy type vxlan id 2 dev va local 192.0.2.1 dstport 8472
            bridge fdb add 02:00:00:00:00:02 dev vx dst 192.0.2.2 self permanent
            bridge fdb add 02:00:00:00:00:03 dev vx dst 192.0.2.3 self dynamic
            bridge fdb add 02:00:00:00:00:04 dev vx dst 192.0.2.4 port 4789 self permanent
            bridge fdb append 00:00:00:00:00:00 dev vx dst 192.0.2.5 self permanent
            bridge fdb append 00:00:00:00:00:00 dev vx dst 192.0.2.6 self permanent
            bridge fdb add 02:00:00:00:00:07 dev vy dst 192.0.2.7 self permanent
            """);
        using NetlinkClient netlink = new();
        List<FdbEntry> entries = netlink.Fdb.List(netlink.Links.Get("vx"));
        using JsonDocument witness = JsonDocument.Parse(Shell("bridge -j fdb show dev vx"));
        Assert.Equal(
            witness.RootElement.EnumerateArray().Select(shown => $"{shown.GetProperty("mac").GetString()} dst {shown.GetProperty("dst").GetString()}").Order(),
            entries.Select(entry => entry.ToString()).Order());
        Assert.Equal(["02:00:00:00:00:04"], entries.Where(entry => !entry.IsPlain).Select(entry => entry.Mac.ToString()));
        Assert.Equal(["02:00:00:00:00:03"], entries.Where(entry => !entry.State.HasFlag(NeighbourState.Permanent)).Select(entry => entry.Mac.ToString()));
    });

    private static string Bridge() => Shell("bridge fdb show dev vx").Trim();
}
