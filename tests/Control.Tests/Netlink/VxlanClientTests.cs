using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Packets;
using static FlannelFast.Control.Tests.Netlink.NetworkNamespace;
using static FlannelFast.Control.Tests.Netlink.Wire;

namespace FlannelFast.Control.Tests.Netlink;

public sealed class VxlanClientTests
{
    private static readonly MacAddress s_mac = new(0x020000000001);

    private static readonly VxlanAttributes s_everything = new()
    {
        Vni = 0x123456,
        LinkIndex = 3,
        Local = IPAddress.Parse("192.0.2.1"),
        Group = IPAddress.Parse("239.0.0.1"),
        Port = 8472,
        Ttl = 9,
        Tos = 4,
        Learning = true,
        Gbp = true,
        Proxy = true,
        Rsc = true,
        L2Miss = true,
        L3Miss = true,
    };

    [Fact]
    public void Requests_are_these_bytes()
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, 0)]);
        using NetlinkSocket socket = kernel.Connect();
        VxlanClient vxlan = new(socket);
        Assert.True(vxlan.TryCreate("flannel.1", s_mac, 1450, s_everything));
        vxlan.SetLearning(new() { Index = 7, Name = "flannel.1" }, true);

        byte[] data = Attribute(2,
            Attribute(1, U32(0x123456)), Attribute(3, U32(3)), Attribute(4, U8(192, 0, 2, 1)), Attribute(2, U8(239, 0, 0, 1)),
            Attribute(5, U8(9)), Attribute(6, U8(4)), Attribute(7, U8(1)), Attribute(11, U8(1)), Attribute(12, U8(1)), Attribute(13, U8(1)),
            Attribute(14, U8(1)), Attribute(15, U8(0x21, 0x18)), Attribute(23));
        Assert.Equal(
        [
            Message(16, 0x605, 1, LinkHeader(0), Attribute(3, Text("flannel.1")), Attribute(4, U32(1450)), Attribute(13, U32(0)),
                Attribute(1, U8(2, 0, 0, 0, 0, 1)), Attribute(18, Attribute(1, Text("vxlan")), data)),
            Message(16, 5, 2, LinkHeader(7), Attribute(18, Attribute(1, Text("vxlan")), Attribute(2, Attribute(7, U8(1))))),
        ], kernel.Requests);
    }

    /// <summary>What the kernel does not refuse together, made and read back.</summary>
    public static TheoryData<string, string> Variants => new()
    {
        { "", "nolearning" },
        { "learning", "" },
        { "gbp", "nolearning gbp" },
        { "misses", "nolearning proxy rsc l2miss l3miss" },
        { "group", "nolearning group 239.0.0.1" },
        { "ttl", "nolearning ttl 9 tos 4" },
        { "ipv6", "nolearning" },
    };

    [Theory, MemberData(nameof(Variants))]
    public void A_device_is_what_ip_would_have_made(string variant, string options) => Run(() =>
    {
        string local = variant == "ipv6" ? "2001:db8::1" : "192.0.2.1";
        Shell($"ip link add va type veth peer name vb; ip link set va up; ip link set vb up; ip address add {local}/24 dev va");
        using NetlinkClient netlink = new();
        VxlanAttributes wanted = new()
        {
            Vni = 5,
            LinkIndex = netlink.Links.Get("va").Index,
            Local = IPAddress.Parse(local),
            Port = 8472,
            Learning = variant == "learning",
            Gbp = variant == "gbp",
            Proxy = variant == "misses",
            Rsc = variant == "misses",
            L2Miss = variant == "misses",
            L3Miss = variant == "misses",
            Group = variant == "group" ? IPAddress.Parse("239.0.0.1") : null,
            Ttl = variant == "ttl" ? (byte)9 : (byte)0,
            Tos = variant == "ttl" ? (byte)4 : (byte)0,
        };
        Assert.True(netlink.Vxlan.TryCreate("vx", s_mac, 1430, wanted));
        Link made = netlink.Links.Get("vx");
        Assert.Equal(wanted, made.Vxlan);
        Assert.Equal(("vxlan", 1430, 0, s_mac, false), (made.Kind, made.Mtu, made.TransmitQueueLength, made.Address!.Value, made.IsUp));
        string shown = ShowWithoutIndex();
        Assert.False(netlink.Vxlan.TryCreate("vx", s_mac, 1430, wanted), "made twice");

        netlink.Links.Delete(made);
        Shell($"ip link add vx address {s_mac} mtu 1430 txqueuelen 0 type vxlan id 5 dev va local {local} dstport 8472 {options}");
        Assert.Equal(wanted, netlink.Links.Get("vx").Vxlan);
        Assert.Equal(ShowWithoutIndex(), shown);

        static string ShowWithoutIndex()
        {
            string text = Shell("ip -d link show vx");
            return text[text.IndexOf(':', StringComparison.Ordinal)..];
        }
    });

    [Fact]
    public void Learning_and_the_address_change_on_a_device_that_lives() => Run(() =>
    {
        Shell("ip link add va type veth peer name vb; ip link add vx type vxlan id 1 dev va local 192.0.2.1 dstport 8472 nolearning gbp");
        using NetlinkClient netlink = new();
        Link before = netlink.Links.Get("vx");
        netlink.Vxlan.SetLearning(before, true);
        netlink.Links.SetAddress(before, s_mac);
        Link after = netlink.Links.Get("vx");
        Assert.Equal(before with { Address = s_mac, Vxlan = before.Vxlan! with { Learning = true } }, after);
        netlink.Vxlan.SetLearning(before, false);
        Assert.Equal(before.Vxlan, netlink.Links.Get("vx").Vxlan);
    });

    [Fact]
    public void The_probe_leaves_nothing() => Run(() =>
    {
        string before = Shell("ip link");
        using NetlinkClient netlink = new();
        Assert.Null(netlink.Vxlan.Probe());
        Assert.Equal(before, Shell("ip link"));
    });

    [Theory, InlineData(Errno.EPERM), InlineData(Errno.EOPNOTSUPP), InlineData(0)]
    public void The_probe_says_why_not(int errno)
    {
        using FakeKernel kernel = new(request => [Acknowledge(request, errno)]);
        using NetlinkSocket socket = kernel.Connect();
        NetlinkException? refused = new VxlanClient(socket).Probe();
        Assert.StartsWith("cannot make a VXLAN device: ", refused?.Message, StringComparison.Ordinal);
    }
}
