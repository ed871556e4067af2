using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Netlink;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Interfaces;

public sealed class InterfaceSelectorTests
{
    private readonly FakeNetwork _network = new();
    private readonly Link _eth0, _eth1;

    public InterfaceSelectorTests()
    {
        _eth0 = _network.AddLink("eth0", "192.0.2.1", "fe80::1", "2001:db8::1");
        _eth1 = _network.AddLink("eth1", "198.51.100.1", "fe80::2", "2001:db8:1::1");
        _network.AddDefaultRoute(_eth1);
        _network.AddDefaultRoute(_eth0);
        _network.AddDefaultRoute(_eth1, "::/0");
    }

    [Fact]
    public void Without_rules_the_first_default_route_decides() => Chose(Select(), "eth1", "198.51.100.1");

    [Fact]
    public void With_ipv6_alone_the_ipv6_route_decides()
    {
        ExternalInterface external = Select(AddressFamilies.Ipv6);
        Assert.Equal(("eth1", null, "2001:db8:1::1"), (external.Link.Name, external.Address, external.AddressV6?.ToString()));
        Assert.Equal((null, "2001:db8:1::1"), (external.PublicIP, external.PublicIPv6?.ToString()));
    }

    [Fact]
    public void Dual_stack_needs_both_default_routes_on_one_interface()
    {
        ExternalInterface external = Select(AddressFamilies.Both);
        Assert.Equal(("eth1", "198.51.100.1", "2001:db8:1::1"), (external.Link.Name, external.Address?.ToString(), external.AddressV6?.ToString()));

        var other = new FakeNetwork();
        other.AddDefaultRoute(other.AddLink("a", "192.0.2.1"));
        other.AddDefaultRoute(other.AddLink("b", "2001:db8::1"), "::/0");
        Refused("failed to find any valid interface to use: v6 default route interface b must be the same with v4 default route interface a; name one with -iface",
            () => Select(other, AddressFamilies.Both));
    }

    [Fact]
    public void A_default_route_without_a_link_or_that_drops_is_not_one()
    {
        var network = new FakeNetwork();
        Link eth0 = network.AddLink("eth0", "192.0.2.1");
        network.AddDefaultRoute(eth0, type: RouteType.Blackhole);
        network.AddDefaultRoute(null);
        Refused("failed to find any valid interface to use: unable to find default route; name an interface with -iface", () => Select(network));
        network.AddDefaultRoute(eth0);
        Chose(Select(network), "eth0", "192.0.2.1");
    }

    [Fact]
    public void A_public_address_alone_selects_its_owner() => Chose(Select(publicIP: "192.0.2.1"), "eth0", "192.0.2.1");

    [Fact]
    public void A_public_address_that_nobody_has_needs_an_interface()
    {
        Refused("failed to find any valid interface to use: no interface of this host has the address 203.0.113.9", () => Select(publicIP: "203.0.113.9"));
        ExternalInterface external = Select(publicIP: "203.0.113.9", names: ["eth0"]);
        Assert.Equal(("eth0", "192.0.2.1", "203.0.113.9"), (external.Link.Name, external.Address?.ToString(), external.PublicIP?.ToString()));
    }

    [Fact]
    public void A_public_ipv6_address_alone_selects_its_owner()
    {
        ExternalInterface external = Select(_network, AddressFamilies.Both, new([], [], null, null, IPAddress.Parse("2001:db8::1")));
        Assert.Equal(("eth0", "192.0.2.1", "2001:db8::1"), (external.Link.Name, external.Address?.ToString(), external.AddressV6?.ToString()));
    }

    [Theory]
    [InlineData("eth0", "192.0.2.1", "eth0")]
    [InlineData("eth1", "198.51.100.1", "eth1")]
    [InlineData("eth0", "192.0.2.1", "192.0.2.1")]
    [InlineData("eth0", "192.0.2.1", "eth9", "eth0", "eth1")]
    [InlineData("eth1", "198.51.100.1", "203.0.113.9", "198.51.100.1", "eth0")]
    public void Names_and_addresses_are_tried_in_order(string link, string address, params string[] names) => Chose(Select(names: names), link, address);

    [Fact]
    public void An_address_that_was_named_is_the_one_used()
    {
        _network.AddAddress(_eth0, "192.0.2.99");
        Chose(Select(names: ["192.0.2.99"]), "eth0", "192.0.2.99");
        Chose(Select(names: ["eth0"]), "eth0", "192.0.2.1");
    }

    [Fact]
    public void A_named_ipv4_address_brings_the_ipv6_address_of_its_interface()
    {
        ExternalInterface external = Select(AddressFamilies.Both, names: ["192.0.2.1"]);
        Assert.Equal(("192.0.2.1", "2001:db8::1"), (external.Address?.ToString(), external.AddressV6?.ToString()));
    }

    [Theory]
    [InlineData("eth0", "192.0.2.1", "^192")]
    [InlineData("eth1", "198.51.100.1", "eth1$")]
    [InlineData("eth0", "192.0.2.1", "eth")]
    [InlineData("eth1", "198.51.100.1", "nothing", "^198")]
    // An address is looked for on all interfaces before a name: "1" is in the address of eth0 and in the name of eth1.
    [InlineData("eth0", "192.0.2.1", "1")]
    public void Patterns_match_addresses_first_then_names(string link, string address, params string[] patterns) =>
        Chose(Select(patterns: patterns), link, address);

    [Fact]
    public void Loopback_has_no_address_to_match() => Refused(
        "failed to find interface to use that matches the interfaces and/or regexes provided", () => Select(patterns: ["^127"]));

    [Fact]
    public void With_dual_stack_a_pattern_must_match_both_addresses()
    {
        Assert.Equal("eth1", Select(AddressFamilies.Both, patterns: ["^198|^2001:db8:1"]).Link.Name);
        Refused("failed to find interface to use that matches the interfaces and/or regexes provided", () => Select(AddressFamilies.Both, patterns: ["^198"]));
    }

    [Fact]
    public void Names_come_before_patterns_and_those_before_reachability()
    {
        _network.AddWay("203.0.113.1", _eth0, "192.0.2.1");
        Chose(Select(names: ["eth1"], patterns: ["eth0"], canReach: "203.0.113.1"), "eth1", "198.51.100.1");
        Chose(Select(names: ["eth9"], patterns: ["eth1"], canReach: "203.0.113.1"), "eth1", "198.51.100.1");
        Chose(Select(names: ["eth9"], patterns: ["eth9"], canReach: "203.0.113.1"), "eth0", "192.0.2.1");
    }

    [Fact]
    public void Reachability_brings_the_source_address_of_the_route()
    {
        _network.AddAddress(_eth0, "192.0.2.77");
        _network.AddWay("203.0.113.1", _eth0, "192.0.2.77");
        Chose(Select(canReach: "203.0.113.1"), "eth0", "192.0.2.77");
        Refused("failed to find interface to use that matches the interfaces and/or regexes provided", () => Select(canReach: "203.0.113.2"));
    }

    [Fact]
    public void An_interface_without_address_or_mtu_is_none()
    {
        Link bare = _network.AddLink("bare");
        Refused("failed to find interface to use that matches the interfaces and/or regexes provided", () => Select(names: ["bare"]));
        _network.AddAddress(bare, "203.0.113.5");
        Chose(Select(names: ["bare"]), "bare", "203.0.113.5");
        _network.SetMtu(bare, 0);
        Refused("failed to find interface to use that matches the interfaces and/or regexes provided", () => Select(names: ["bare"]));
    }

    [Fact]
    public void A_global_address_is_taken_before_a_link_local_one_which_is_taken_before_none()
    {
        Link link = _network.AddLink("x", "169.254.1.1");
        Chose(Select(names: ["x"]), "x", "169.254.1.1");
        _network.AddAddress(link, "203.0.113.5");
        Chose(Select(names: ["x"]), "x", "203.0.113.5");
    }

    [Fact]
    public void Lasting_addresses_are_preferred_and_dying_ones_not_taken()
    {
        Link link = _network.AddLink("x");
        _network.AddAddress(link, "2001:db8:2::1", AddressFlags.Deprecated);
        _network.AddAddress(link, "2001:db8:2::2", AddressFlags.DadFailed | AddressFlags.Permanent);
        Refused("failed to find interface to use that matches the interfaces and/or regexes provided", () => Select(AddressFamilies.Ipv6, names: ["x"]));
        foreach ((string address, AddressFlags flags) in ((string, AddressFlags)[])
            [("2001:db8:2::3", AddressFlags.Temporary), ("2001:db8:2::4", AddressFlags.None), ("2001:db8:2::5", AddressFlags.Permanent | AddressFlags.Temporary), ("2001:db8:2::6", AddressFlags.Permanent)])
        {
            _network.AddAddress(link, address, flags);
            Assert.Equal(address, Select(AddressFamilies.Ipv6, names: ["x"]).AddressV6?.ToString());
        }
    }

    private ExternalInterface Select(
        AddressFamilies families = AddressFamilies.Ipv4, string[]? names = null, string[]? patterns = null, string? canReach = null, string? publicIP = null) =>
        Select(_network, families, new(names ?? [], patterns ?? [], canReach is null ? null : IPAddress.Parse(canReach), publicIP is null ? null : IPAddress.Parse(publicIP), null));

    private static ExternalInterface Select(FakeNetwork network, AddressFamilies families = AddressFamilies.Ipv4, InterfaceRules? rules = null) =>
        new InterfaceSelector(network, rules ?? new([], [], null, null, null), NullLogger.Instance).Select(families);

    private static void Chose(ExternalInterface external, string link, string address)
    {
        Assert.Equal((link, address, null), (external.Link.Name, external.Address?.ToString(), external.AddressV6));
        Assert.Equal(address, external.PublicIP?.ToString());
    }

    private static void Refused(string message, Action select) => Assert.Equal(message, Assert.Throws<InterfaceNotFoundException>(select).Message);
}
