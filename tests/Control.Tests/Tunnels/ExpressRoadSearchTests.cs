using System.Net;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class ExpressRoadSearchTests
{
    private readonly FakeExpressHost _host = new();
    private readonly TunnelConfig _config = FakeTunnelRuntime.Config(EncapsulationKind.Vxlan);

    [Fact]
    public void The_road_is_from_the_tunnel_to_the_owner_of_the_local_address()
    {
        ExpressRoadSearch found = Find();
        Assert.Equal((new ExpressRoad { TunIndex = 7, UnderlayIndex = 2, UnderlayMtu = 1500, Tcp = false }, null), (found.Best, found.Reason));
        Assert.Equal("eth0", found.Underlay?.Name);
    }

    /// <summary>Where super-packets stay whole, which is to say over veth, TCP needs no program in the driver.</summary>
    [Theory]
    [InlineData(ExpressLaneMode.Auto, null, true, false, false)] // A card that says it can: cuts them all the same.
    [InlineData(ExpressLaneMode.Auto, "veth", false, false, false)]
    [InlineData(ExpressLaneMode.Auto, "veth", true, true, false)]
    [InlineData(ExpressLaneMode.Auto, "bridge", true, false, false)]
    [InlineData(ExpressLaneMode.On, "veth", true, true, false)]
    [InlineData(ExpressLaneMode.On, "veth", false, true, true)]
    [InlineData(ExpressLaneMode.On, null, false, true, true)]
    [InlineData(ExpressLaneMode.On, null, true, true, true)]
    public void TCP_goes_where_super_packets_stay_whole_or_it_is_told_to(ExpressLaneMode mode, string? kind, bool passes, bool tcp, bool xdp)
    {
        _host.Underlay = _host.Underlay! with { Kind = kind };
        _host.PassesSuperPackets = passes;
        ExpressRoadSearch found = Find(mode: mode);
        Assert.Equal((tcp, xdp), (found.Best!.Tcp, found.Best.Xdp));
        Assert.Equal(xdp ? [found.Best, found.Best with { Xdp = false }] : [found.Best], found.Roads);
        // Who watches the underlay sees what is on the wire.
        _host.Underlay = _host.Underlay with { Promiscuity = 1 };
        Assert.Equal([found.Best with { Xdp = false }], Find(mode: mode).Roads);
    }

    /// <summary>Cut TCP in VXLAN: the driver's GRO before a program in the interface's driver, and no lane for TCP without both, unless told so.</summary>
    [Fact]
    public void VXLAN_that_arrives_cut_is_merged_by_its_driver_where_GRO_is_on()
    {
        _host.MergesArrivals = true;
        ExpressRoad plain = new() { TunIndex = 7, UnderlayIndex = 2, UnderlayMtu = 1500, Tcp = false };
        Assert.Equal([plain with { Tcp = true, Gro = true }, plain], Find().Roads);
        plain = plain with { Tcp = true };
        Assert.Equal([plain with { Gro = true }, plain with { Xdp = true }, plain], Find(mode: ExpressLaneMode.On).Roads);
        _host.Underlay = _host.Underlay! with { Kind = "veth" };
        _host.PassesSuperPackets = true;
        Assert.Equal([plain], Find().Roads);
    }

    [Fact]
    public void The_port_is_not_lent_where_it_is_another_one_or_wanted_as_the_only_source()
    {
        _host.MergesArrivals = true;
        EngineOptions engine = _config.Engine;
        foreach (EngineOptions other in (EngineOptions[])[engine with { Encapsulation = EncapsulationKind.Udp }, engine with { SourcePorts = 1 }, engine with { UdpGro = false }])
            Assert.DoesNotContain(ExpressRoadSearch.Find(_config with { Engine = other }, _host).Roads, road => road.Gro);
    }

    [Fact]
    public void Switched_off_the_host_is_not_asked()
    {
        Assert.Equal("switched off by --express-lane off", Find(mode: ExpressLaneMode.Off).Reason);
        Assert.Equal(0, _host.Questions);
    }

    [Theory, InlineData(SourceCheck.Peer), InlineData(SourceCheck.Off)]
    public void It_needs_the_strict_source_check(SourceCheck check) =>
        Assert.Equal("the source check is not strict", ExpressRoadSearch.Find(_config with { Engine = _config.Engine with { SourceCheck = check } }, _host).Reason);

    [Fact]
    public void It_needs_an_IPv4_underlay() =>
        Assert.Equal("the underlay is IPv6", ExpressRoadSearch.Find(_config with { Engine = _config.Engine with { Local = IPAddress.Parse("2001:db8::1") } }, _host).Reason);

    [Fact]
    public void It_needs_IPv4_inside()
    {
        IPNetwork ipv4 = _config.Networks[0], ipv6 = IPNetwork.Parse("fd00:5::/48");
        Assert.Equal("the tunnel carries no IPv4", ExpressRoadSearch.Find(_config with { Networks = [ipv6] }, _host).Reason);
        Assert.NotNull(ExpressRoadSearch.Find(_config with { Networks = [ipv6, ipv4] }, _host).Best);
    }

    [Fact]
    public void Obstacles_on_the_host_are_named()
    {
        FakeExpressHost fresh = new();
        _host.Tun = null;
        Assert.Equal("ff0 is missing", Find().Reason);
        _host.Tun = fresh.Tun! with { Promiscuity = 1 };
        Assert.Equal("ff0 is being watched (promiscuous, as by tcpdump)", Find().Reason);
        _host.Tun = fresh.Tun;
        _host.Underlay = null;
        Assert.Equal("no interface owns 192.0.2.1", Find().Reason);
        _host.Underlay = fresh.Underlay! with { Name = "lo", Flags = 9, HardwareType = 772 };
        Assert.Equal("lo is the loopback interface", Find().Reason);
        _host.Underlay = fresh.Underlay with { Name = "ppp0", HardwareType = 512 };
        Assert.Equal("ppp0 is not Ethernet", Find().Reason);
        _host.Underlay = fresh.Underlay;
        _host.HasPolicies = true;
        Assert.Equal("this host has IPsec policies", Find().Reason);
        _host.HasPolicies = false;
        Assert.NotNull(Find().Best);
    }

    /// <summary>A capture of the underlay sees what the lane sends and receives there.</summary>
    [Fact]
    public void A_watched_underlay_is_no_obstacle()
    {
        _host.Underlay = _host.Underlay! with { Promiscuity = 1 };
        Assert.NotNull(Find().Best);
    }

    [Fact]
    public void A_host_that_does_not_answer_has_no_road()
    {
        _host.Refusal = new IOException("cannot find link ff0: no");
        ExpressRoadSearch found = Find();
        Assert.Equal((null, "cannot find link ff0: no"), (found.Best, found.Reason));
    }

    private ExpressRoadSearch Find(ExpressLaneMode mode = ExpressLaneMode.Auto) =>
        ExpressRoadSearch.Find(_config with { Engine = _config.Engine with { ExpressLane = mode } }, _host);
}
