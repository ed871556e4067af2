using System.Text.Json;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class LinkClientTests
{
    [Fact]
    public void Requests_are_these_bytes()
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, 0)]);
        using NetlinkSocket socket = kernel.Connect();
        LinkClient links = new(socket);
        Link link = new() { Index = 7, Name = "ff0" };
        links.SetUp(link);
        links.SetDown(link);
        links.SetMtu(link, 1472);
        links.SetTransmitQueueLength(link, 1000);
        links.Delete(link);
        Assert.Equal(
        [
            Message(19, 5, 1, LinkHeader(7, flags: 1, change: 1)),
            Message(19, 5, 2, LinkHeader(7, flags: 0, change: 1)),
            Message(19, 5, 3, LinkHeader(7), Attribute(4, U32(1472))),
            Message(19, 5, 4, LinkHeader(7), Attribute(13, U32(1000))),
            Message(17, 5, 5, LinkHeader(7)),
        ], kernel.Requests);
    }

    [Fact]
    public void A_link_told_so_comes_up_without_a_link_local_address() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        using NetlinkClient netlink = new();
        Link quiet = netlink.Links.Get("va"), usual = netlink.Links.Get("vb");
        Assert.True(netlink.Links.TrySetNoLinkLocal(quiet));
        netlink.Links.SetUp(quiet);
        netlink.Links.SetUp(usual);
        Assert.True(SpinWait.SpinUntil(() => netlink.Addresses.List(usual).Count == 1, TimeSpan.FromSeconds(10)), "the control group has no address");
        Assert.Empty(netlink.Addresses.List(quiet));
    });

    [Theory, InlineData("up"), InlineData("down")]
    public void A_renamed_link_is_the_same_link(string state) => Run(() =>
    {
        Shell($"ip link add va type veth peer name vb; ip link set va {state}");
        using NetlinkClient netlink = new();
        Link before = netlink.Links.Get("va");
        if (!netlink.Links.TryRename(before, "vc"))
        {
            // Before Linux 6.2.
            netlink.Links.SetDown(before);
            netlink.Links.Rename(before, "vc");
        }
        Assert.Null(netlink.Links.Find("va"));
        Assert.Equal(before.Index, netlink.Links.Get("vc").Index);
        Assert.Throws<NetlinkException>(() => netlink.Links.Rename(before, "vb"));
        Assert.Throws<ArgumentException>(() => netlink.Links.Rename(before, "a/b"));
    });

    [Fact]
    public void Links_are_what_ip_shows() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip link add br0 type bridge; ip tuntap add ff0 mode tun; ip link set va up mtu 1400");
        using NetlinkClient netlink = new();
        List<Link> links = netlink.Links.List();
        JsonElement[] witness = Ip("-d link show");
        Assert.Equal(witness.Length, links.Count);
        foreach (JsonElement shown in witness)
        {
            Link link = Assert.Single(links, l => l.Index == shown.GetProperty("ifindex").GetInt32());
            Assert.Equal(shown.GetProperty("ifname").GetString(), link.Name);
            Assert.Equal(shown.GetProperty("mtu").GetInt32(), link.Mtu);
            if (shown.TryGetProperty("txqlen", out JsonElement queue)) Assert.Equal(queue.GetInt32(), link.TransmitQueueLength);
            string?[] flags = [.. shown.GetProperty("flags").EnumerateArray().Select(flag => flag.GetString())];
            Assert.Equal(flags.Contains("UP"), link.IsUp);
            Assert.Equal(flags.Contains("LOOPBACK"), link.IsLoopback);
            string? kind = shown.TryGetProperty("linkinfo", out JsonElement info) ? info.GetProperty("info_kind").GetString() : null;
            Assert.Equal(kind, link.Kind);
            Assert.Equal(shown.TryGetProperty("address", out JsonElement mac) ? mac.GetString() : null, link.Address?.ToString());
            // A found link is the listed one; the statistics, which do move, are not part of it.
            Assert.Equal(link, netlink.Links.Find(link.Name));
            Assert.Equal(link, netlink.Links.Get(link.Index));
        }
        Assert.Contains(links, link => link is { Name: "ff0", Kind: "tun", Address: null });
    });

    [Fact]
    public void Up_running_mtu_and_queue_length_are_set() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        using NetlinkClient netlink = new();
        Link va = netlink.Links.Get("va");
        Assert.False(va.IsUp);
        netlink.Links.SetMtu(va, 1234);
        netlink.Links.SetTransmitQueueLength(va, 77);
        netlink.Links.SetUp(va);
        JsonElement shown = Assert.Single(Ip("link show dev va"));
        Assert.Equal((1234, 77), (shown.GetProperty("mtu").GetInt32(), shown.GetProperty("txqlen").GetInt32()));
        Assert.Contains("UP", shown.GetProperty("flags").EnumerateArray().Select(flag => flag.GetString()));
        // Up but not running: the other end is down.
        Assert.True(netlink.Links.Get("va") is { IsUp: true, IsRunning: false, Mtu: 1234, TransmitQueueLength: 77 });
        netlink.Links.SetUp(netlink.Links.Get("vb"));
        Assert.True(netlink.Links.Get("va").IsRunning);
        netlink.Links.SetDown(va);
        Assert.False(netlink.Links.Get("va").IsUp);
    });

    [Fact]
    public void A_deleted_link_is_gone() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        using NetlinkClient netlink = new();
        Link va = netlink.Links.Get("va");
        netlink.Links.Delete(va);
        Assert.Single(Ip("link show"));
        Assert.Null(netlink.Links.Find("va"));
        Assert.Null(netlink.Links.Find(va.Index));
        Assert.False(netlink.Links.TryDelete(va));
        NetlinkException e = Assert.Throws<NetlinkException>(() => netlink.Links.Delete(va));
        Assert.Equal("cannot delete link va: No such device (errno 19)", e.Message);
        Assert.Equal("cannot find link va: No such device (errno 19)", Assert.Throws<NetlinkException>(() => netlink.Links.Get("va")).Message);
        Assert.Equal("cannot set va up: No such device (errno 19)", Assert.Throws<NetlinkException>(() => netlink.Links.SetUp(va)).Message);
    });

    [Fact]
    public void The_kernels_own_sentence_ends_the_message() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb");
        using NetlinkClient netlink = new();
        Link va = netlink.Links.Get("va");
        NetlinkException e = Assert.Throws<NetlinkException>(() => netlink.Links.SetMtu(va, 70_000));
        Assert.Equal("cannot set MTU 70000 on va: Invalid argument (errno 22): mtu greater than device maximum", e.Message);
        Assert.Equal(Errno.EINVAL, e.Errno);
        Assert.Equal("mtu greater than device maximum", e.Detail);
    });

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("sixteen-bytes-xx")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("a\0b")]
    [InlineData("ééééééé€")]
    public void What_cannot_be_a_name_is_not_asked_for(string name)
    {
        using FakeKernel kernel = new(_ => []);
        using NetlinkSocket socket = kernel.Connect();
        Assert.Throws<ArgumentException>(() => new LinkClient(socket).Find(name));
        Assert.Empty(kernel.Requests);
    }

    [Fact]
    public void The_longest_name_works() => Run(() =>
    {
        Shell("ip link add fifteen-bytes-x type veth peer name vb");
        using NetlinkClient netlink = new();
        Assert.Equal("fifteen-bytes-x", netlink.Links.Get("fifteen-bytes-x").Name);
    });

    [Fact]
    public void A_dump_over_many_datagrams_is_whole() => Run(() =>
    {
        Shell("for i in $(seq 1 100); do echo link add v$i type veth peer name p$i; done | ip -batch -");
        using NetlinkClient netlink = new();
        List<Link> links = netlink.Links.List();
        Assert.Equal(201, links.Count);
        Assert.Equal(201, links.Select(link => link.Name).Distinct().Count());
    });

    [Fact]
    public void A_dump_that_was_given_up_does_not_block_the_next() => Run(() =>
    {
        Shell("for i in $(seq 1 100); do echo link add v$i type veth peer name p$i; done | ip -batch -");
        NetlinkChannel channel = NetlinkChannel.Open();
        using NetlinkSocket socket = new(channel, TimeSpan.FromSeconds(5));
        NetlinkMessageBuilder dump = new(stackalloc byte[64], Libc.RTM_GETLINK, Libc.NLM_F_DUMP);
        dump.Append(new ifinfomsg());
        Assert.True(channel.Send(dump.Finish()).IsSuccess);
        Assert.True(channel.TryReceive(out _).IsSuccess);
        // The kernel refuses a second dump on a socket (EBUSY) until the first was read to its end.
        Assert.Equal(201, new LinkClient(socket).List().Count);
    });
}
