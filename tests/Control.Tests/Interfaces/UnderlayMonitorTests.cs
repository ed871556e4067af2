using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Netlink;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace FlannelFast.Control.Tests.Interfaces;

public sealed class UnderlayMonitorTests
{
    private readonly FakeNetwork _network = new();
    private readonly Link _eth0;
    private readonly InterfaceSelector _selector;
    private readonly UnderlayMonitor _monitor;
    private readonly ExternalInterface _first;

    public UnderlayMonitorTests()
    {
        _eth0 = _network.AddLink("eth0", "192.0.2.1");
        _selector = new(_network, new(["eth0", "eth1"], [], null, null, null), NullLogger.Instance);
        _monitor = new(_network, _selector, AddressFamilies.Ipv4, NullLogger.Instance);
        _first = _selector.Select(AddressFamilies.Ipv4);
    }

    [Fact]
    public void Nothing_that_matters_changes_nothing()
    {
        _network.AddAddress(_eth0, "192.0.2.5");
        _network.AddLink("eth1", "198.51.100.1");
        Assert.Same(_first, _monitor.Look(_first));
    }

    [Fact]
    public void Another_mtu_is_followed()
    {
        _network.SetMtu(_eth0, 9000);
        ExternalInterface now = _monitor.Look(_first);
        Assert.Equal((9000, _first.Address), (now.Link.Mtu, now.Address));
    }

    [Fact]
    public void Another_address_is_followed_and_published()
    {
        _network.RemoveAddress("192.0.2.1");
        _network.AddAddress(_eth0, "192.0.2.5");
        ExternalInterface now = _monitor.Look(_first);
        Assert.Equal((IPAddress.Parse("192.0.2.5"), IPAddress.Parse("192.0.2.5")), (now.Address, now.PublicIP));
    }

    [Fact]
    public void An_underlay_that_is_gone_is_waited_for()
    {
        _network.RemoveAddress("192.0.2.1");
        Assert.Same(_first, _monitor.Look(_first));
        _network.AddAddress(_eth0, "192.0.2.1");
        Assert.Same(_first, _monitor.Look(_first));
    }

    [Fact]
    public void The_next_rule_takes_over_when_the_interface_is_gone()
    {
        _network.RemoveLink(_eth0);
        _network.AddLink("eth1", "198.51.100.1");
        Assert.Equal("eth1", _monitor.Look(_first).Link.Name);
    }
}
