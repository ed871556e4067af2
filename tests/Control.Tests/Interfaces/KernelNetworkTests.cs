using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tests.Netlink;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Interfaces;

/// <summary>The rules on the real kernel.</summary>
public sealed class KernelNetworkTests
{
    private const string TwoInterfaces = """
        ip link add eth0 type veth peer name peer0; ip link add eth1 mtu 9000 type veth peer name peer1
        for i in eth0 eth1 peer0 peer1; do sysctl -qw net.ipv6.conf.$i.accept_dad=0; ip link set $i up; done
        ip address add 192.0.2.1/24 dev eth0; ip address add 192.0.2.2/24 dev eth0
        ip address add 198.51.100.1/24 dev eth1
        ip address add 2001:db8::1/64 dev eth0; ip address add 2001:db8:1::1/64 dev eth1
        """;

    [Fact]
    public void The_default_route_of_lowest_metric_decides() => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Shell(TwoInterfaces + "\nip route add default via 192.0.2.254 metric 200; ip route add default via 198.51.100.254 metric 100");
        ExternalInterface external = Select(new([], [], null, null, null));
        Assert.Equal(("eth1", 9000, "198.51.100.1"), (external.Link.Name, external.Link.Mtu, external.Address?.ToString()));
        NetworkNamespace.Shell("ip route del default metric 100");
        Assert.Equal("eth0", Select(new([], [], null, null, null)).Link.Name);
    });

    [Fact]
    public void Dual_stack_takes_both_default_routes() => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Shell(TwoInterfaces + "\nip route add default via 192.0.2.254; ip -6 route add default via 2001:db8::fe dev eth0");
        ExternalInterface external = Select(new([], [], null, null, null), AddressFamilies.Both);
        Assert.Equal(("eth0", "192.0.2.1", "2001:db8::1"), (external.Link.Name, external.Address?.ToString(), external.AddressV6?.ToString()));
    });

    [Fact]
    public void Names_addresses_patterns_and_reachability_find_the_same_interfaces_as_ip() => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Shell(TwoInterfaces + "\nip route add 203.0.113.0/24 via 192.0.2.254 src 192.0.2.2");
        Assert.Equal(("eth0", "192.0.2.1"), Chosen(new(["eth0"], [], null, null, null)));
        Assert.Equal(("eth0", "192.0.2.2"), Chosen(new(["192.0.2.2"], [], null, null, null)));
        Assert.Equal(("eth1", "198.51.100.1"), Chosen(new([], [@"^198\.51\."], null, null, null)));
        Assert.Equal(("eth1", "198.51.100.1"), Chosen(new([], ["^eth1$"], null, null, null)));
        Assert.Equal(("eth0", "192.0.2.2"), Chosen(new([], [], IPAddress.Parse("203.0.113.7"), null, null)));
        Assert.Throws<InterfaceNotFoundException>(() => Chosen(new([], [], IPAddress.Parse("8.8.8.8"), null, null)));
        Assert.Throws<InterfaceNotFoundException>(() => Chosen(new([], [], null, null, null)));
    });

    [Fact]
    public void Deprecated_and_temporary_addresses_come_last() => NetworkNamespace.Run(() =>
    {
        NetworkNamespace.Shell(TwoInterfaces + """

            ip address flush dev eth0 scope global
            ip address add 2001:db8::d/64 dev eth0 preferred_lft 0
            ip address add 2001:db8::7/64 dev eth0 valid_lft 1000 preferred_lft 500
            """);
        Assert.Equal("2001:db8::7", Select(new(["eth0"], [], null, null, null), AddressFamilies.Ipv6).AddressV6?.ToString());
        NetworkNamespace.Shell("ip address add 2001:db8::9/64 dev eth0");
        Assert.Equal("2001:db8::9", Select(new(["eth0"], [], null, null, null), AddressFamilies.Ipv6).AddressV6?.ToString());
    });

    private static (string, string?) Chosen(InterfaceRules rules)
    {
        ExternalInterface external = Select(rules);
        return (external.Link.Name, external.Address?.ToString());
    }

    private static ExternalInterface Select(InterfaceRules rules, AddressFamilies families = AddressFamilies.Ipv4)
    {
        using var netlink = new NetlinkClient();
        return new InterfaceSelector(new KernelNetwork(netlink), rules, NullLogger.Instance).Select(families);
    }
}
