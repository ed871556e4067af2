using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Tests.Fakes;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tests.Tunnels;

public sealed class ExpressLaneKeeperTests : IDisposable
{
    private const string Open = "Information: express lane open: ff0 <-> eth0, without TCP, for 2 hosts";

    private readonly FakeExpressHost _host = new();
    private readonly LogRecorder _log = new();
    private readonly List<string> _calls = [];
    private readonly ExpressLaneKeeper _keeper;
    private TunnelConfig _config = FakeTunnelRuntime.Config(EncapsulationKind.Vxlan);
    private IReadOnlyList<Peer> _peers = [FakeTunnelRuntime.Peer(2), FakeTunnelRuntime.Peer(3)];
    private Exception? _refusal, _xdpRefusal, _groRefusal, _closeRefusal;
    private bool _isOpen;

    public ExpressLaneKeeperTests() => _keeper = new(_host, Use, () => _isOpen, () => _peers, null, _log);

    public void Dispose() => _log.Dispose();

    [Fact]
    public void The_lane_opens_once_and_stays_as_it_is()
    {
        Look();
        Look();
        Look(isAudit: true);
        Assert.Equal(["7-2 mtu 1500: 192.0.2.2 192.0.2.3"], _calls);
        Assert.Equal([Open], _log.Lines);
        Assert.Equal(new ExpressLaneState("eth0", null), _keeper.State);
    }

    [Fact]
    public void It_is_not_opened_before_every_route_is_known()
    {
        _keeper.Look(_config, isAudit: false);
        Assert.Empty(_calls);
        Assert.Equal("routes to the peers are being looked up", _keeper.State.Reason);
        Assert.False(_keeper.Ask());
        Assert.Single(_calls);
    }

    [Fact]
    public void It_opens_without_peers_too_and_takes_them_as_they_come()
    {
        _peers = [];
        Look();
        _peers = [FakeTunnelRuntime.Peer(2)];
        Look();
        _peers = [FakeTunnelRuntime.Peer(2), FakeTunnelRuntime.Peer(3)];
        Look();
        _peers = [FakeTunnelRuntime.Peer(3)];
        Look();
        Assert.Equal(["7-2 mtu 1500:", "7-2 mtu 1500: 192.0.2.2", "7-2 mtu 1500: 192.0.2.2 192.0.2.3", "7-2 mtu 1500: 192.0.2.3"], _calls);
        Assert.Single(_log.Lines);
    }

    [Fact]
    public void An_obstacle_closes_it_and_its_end_opens_it_again()
    {
        Look();
        _host.HasPolicies = true;
        Assert.True(_keeper.IsConcernedBy(new IpsecPolicyChanged(), 7));
        Look();
        Look(isAudit: true);
        Assert.Equal("this host has IPsec policies", _keeper.State.Reason);
        _host.HasPolicies = false;
        Look();
        Assert.Equal(["7-2 mtu 1500: 192.0.2.2 192.0.2.3", "closed", "7-2 mtu 1500: 192.0.2.2 192.0.2.3"], _calls);
        Assert.Equal([Open, "Information: express lane closed: this host has IPsec policies", Open], _log.Lines);
    }

    [Fact]
    public void Closed_it_still_learns_which_routes_are_to_be_looked_up_again()
    {
        Look();
        _host.Asked.Clear();
        _host.Tun = _host.Tun! with { Promiscuity = 1 };
        Look();
        Assert.True(_keeper.IsConcernedBy(new RouteAdded(new() { Destination = IPNetwork.Parse("192.0.2.3/32"), LinkIndex = 9 }), 7));
        Look();
        _host.Tun = _host.Tun with { Promiscuity = 0 };
        Look();
        Assert.Equal(["192.0.2.3"], _host.Asked.Select(a => a.ToString()));
        Assert.True(_keeper.IsConcernedBy(new LinkRemoved(_host.Underlay!), 7));
        _host.Asked.Clear();
        Look();
        Assert.Equal(2, _host.Asked.Count);
    }

    [Fact]
    public void A_lane_that_never_opened_is_not_closed()
    {
        _config = _config with { Engine = _config.Engine with { ExpressLane = ExpressLaneMode.Off } };
        Look();
        Look(isAudit: true);
        Assert.Empty(_calls);
        Assert.Empty(_log.Lines);
        Assert.Equal("switched off by --express-lane off", _keeper.State.Reason);
    }

    [Fact]
    public void A_change_of_the_road_moves_it()
    {
        Look();
        _host.Underlay = _host.Underlay! with { Mtu = 1400 };
        Look();
        _host.Tun = _host.Tun! with { Index = 8 };
        Look();
        Assert.Equal(["7-2 mtu 1500: 192.0.2.2 192.0.2.3", "7-2 mtu 1400: 192.0.2.2 192.0.2.3", "8-2 mtu 1400: 192.0.2.2 192.0.2.3"], _calls);
    }

    [Fact]
    public void On_another_underlay_no_route_is_believed_that_was_known_before()
    {
        Look();
        _host.Underlay = new() { Index = 3, Name = "eth1", Mtu = 1500, HardwareType = 1 };
        _host.LinkTo = address => address.ToString() == "192.0.2.3" ? 3 : 2;
        Look();
        Assert.Equal(["7-2 mtu 1500: 192.0.2.2 192.0.2.3", "closed", "7-3 mtu 1500: 192.0.2.3"], _calls);
        Assert.Equal("eth1", _keeper.State.Underlay);
    }

    [Fact]
    public void What_the_engine_closed_itself_is_opened_again()
    {
        Look();
        _isOpen = false;
        Look();
        Assert.Equal(["7-2 mtu 1500: 192.0.2.2 192.0.2.3", "7-2 mtu 1500: 192.0.2.2 192.0.2.3"], _calls);
        _isOpen = false;
        _host.HasPolicies = true;
        Look();
        Assert.Equal(2, _calls.Count);
    }

    [Fact]
    public void A_route_to_a_peer_changes_who_takes_part()
    {
        Look();
        _host.Asked.Clear();
        Route route = new() { Destination = IPNetwork.Parse("192.0.2.3/32"), LinkIndex = 9 };
        Assert.False(_keeper.IsConcernedBy(new RouteAdded(route with { LinkIndex = 7 }), 7));
        Assert.False(_keeper.IsConcernedBy(new RouteAdded(route with { Destination = IPNetwork.Parse("198.51.100.0/24") }), 7));
        Assert.True(_keeper.IsConcernedBy(new RouteAdded(route), 7));
        _host.LinkTo = address => address.ToString() == "192.0.2.3" ? 9 : 2;
        Look();
        Assert.Equal(["192.0.2.3"], _host.Asked.Select(a => a.ToString()));
        Assert.True(_keeper.IsConcernedBy(new RouteRemoved(route), 7));
        _host.LinkTo = _ => 2;
        Look();
        Assert.Equal(["7-2 mtu 1500: 192.0.2.2 192.0.2.3", "7-2 mtu 1500: 192.0.2.2", "7-2 mtu 1500: 192.0.2.2 192.0.2.3"], _calls);
    }

    [Fact]
    public void One_that_leaves_does_not_wait_for_the_answers_about_others()
    {
        _peers = [.. Enumerable.Range(0, 3 * ExpressEndpoints.ChunkSize).Select(i => new Peer(new(new IPAddress([10, (byte)(i >> 8), (byte)i, 0]), 24), new([172, 16, (byte)(i >> 8), (byte)i])))];
        Look();
        _host.LinkTo = address => address.ToString() == "172.16.0.7" ? 9 : 2;
        _keeper.Look(_config, isAudit: true);
        Assert.True(_keeper.IsConcernedBy(new RouteAdded(new() { Destination = IPNetwork.Parse("172.16.0.7/32"), LinkIndex = 9 }), 7));
        _keeper.Look(_config, isAudit: false);
        Assert.True(_keeper.Ask());
        Assert.Equal(2, _calls.Count);
        Assert.DoesNotContain(" 172.16.0.7 ", _calls[1], StringComparison.Ordinal);
    }

    [Fact]
    public void What_happens_to_the_underlay_is_noticed()
    {
        Look();
        Link underlay = _host.Underlay!;
        InterfaceAddress address = new() { LinkIndex = 2, Address = IPAddress.Parse("198.51.100.1"), PrefixLength = 24 };
        NetworkChange[] matters =
            [new LinkChanged(underlay with { Flags = 0 }), new LinkRemoved(underlay), new AddressRemoved(address), new Overrun(), new MonitorFailed(new(Errno.EIO, "listen"))];
        foreach (NetworkChange change in matters)
        {
            _host.Asked.Clear();
            Assert.True(_keeper.IsConcernedBy(change, 7));
            Look();
            Assert.Equal(2, _host.Asked.Count);
        }
        _host.Asked.Clear();
        Assert.False(_keeper.IsConcernedBy(new LinkChanged(underlay with { Index = 5 }), 7));
        Assert.False(_keeper.IsConcernedBy(new LinkRemoved(underlay with { Index = 5 }), 7));
        Assert.False(_keeper.IsConcernedBy(new AddressRemoved(address with { LinkIndex = 5 }), 7));
        // Statistics, a new alias …: nothing that routes depend on.
        Assert.True(_keeper.IsConcernedBy(new LinkChanged(underlay with { TransmitQueueLength = 5 }), 7));
        Look();
        Assert.Empty(_host.Asked);
    }

    [Fact]
    public void A_refusal_that_may_pass_is_tried_again_at_the_audit_only()
    {
        _refusal = new IOException("no memory");
        Look();
        Look();
        Assert.Single(_calls);
        Assert.Equal("no memory", _keeper.State.Reason);
        Look(isAudit: true);
        Assert.Equal(2, _calls.Count);
        Assert.Equal(["Information: express lane closed: no memory"], _log.Lines);
        _refusal = null;
        Look(isAudit: true);
        Assert.Equal(new ExpressLaneState("eth0", null), _keeper.State);
    }

    [Theory, InlineData(Errno.EPERM), InlineData(Errno.EINVAL), InlineData(Errno.ENOSYS)]
    public void A_refusal_that_cannot_pass_is_tried_again_on_another_road_only(int errno)
    {
        _refusal = new ErrnoException(errno, "cannot load the express lane");
        Look();
        int asked = _host.Asked.Count;
        Look(isAudit: true);
        Look(isAudit: true);
        Assert.Single(_calls);
        Assert.Equal(_refusal.Message, _keeper.State.Reason);
        Assert.Equal(asked, _host.Asked.Count);
        _host.Underlay = _host.Underlay! with { Mtu = 9000 };
        Look();
        Assert.Equal(2, _calls.Count);
        Assert.Single(_log.Lines);
    }

    /// <summary>Another one has the driver: the lane opens without, and is not closed to try again; opened anew, it is.</summary>
    [Fact]
    public void Without_its_program_in_the_driver_it_opens_all_the_same()
    {
        _config = _config with { Engine = _config.Engine with { ExpressLane = ExpressLaneMode.On } };
        _xdpRefusal = new ErrnoException(Errno.EBUSY, "cannot attach an XDP program to the driver");
        Look();
        Look();
        Look(isAudit: true);
        Assert.Equal(["7-2 mtu 1500 xdp: 192.0.2.2 192.0.2.3", "7-2 mtu 1500: 192.0.2.2 192.0.2.3"], _calls);
        Assert.Equal([$"Information: express lane without XDP over eth0: {_xdpRefusal.Message}", "Information: express lane open: ff0 <-> eth0, with TCP, for 2 hosts"], _log.Lines);
        Assert.Equal(new ExpressLaneState("eth0", null) { XdpRefusal = _xdpRefusal.Message }, _keeper.State);
        _isOpen = false;
        _xdpRefusal = null;
        Look();
        Assert.Equal("7-2 mtu 1500 xdp: 192.0.2.2 192.0.2.3", _calls[^1]);
        Assert.Equal(new ExpressLaneState("eth0", null), _keeper.State);
        Assert.Equal("Information: express lane open: ff0 <-> eth0, with TCP and XDP, for 2 hosts", _log.Lines[^1]);
    }

    [Fact]
    public void Without_the_VXLAN_driver_it_opens_without_TCP()
    {
        _host.MergesArrivals = true;
        _config = _config with { Engine = _config.Engine with { Encapsulation = EncapsulationKind.Vxlan } };
        _groRefusal = new ErrnoException(Errno.EPERM, "cannot make a network namespace");
        Look();
        Look(isAudit: true);
        Assert.Equal(["7-2 mtu 1500 gro: 192.0.2.2 192.0.2.3", "7-2 mtu 1500: 192.0.2.2 192.0.2.3"], _calls);
        Assert.Equal(new ExpressLaneState("eth0", null) { GroRefusal = _groRefusal.Message }, _keeper.State);
        Assert.Equal([$"Information: express lane without VXLAN GRO over eth0: {_groRefusal.Message}", "Information: express lane open: ff0 <-> eth0, without TCP, for 2 hosts"], _log.Lines);
    }

    /// <summary>What does not pass the program that hands datagrams to the engine would be lost again and again.</summary>
    [Fact]
    public void Datagrams_lost_at_the_lent_port_end_the_lending()
    {
        _host.MergesArrivals = true;
        _config = _config with { Engine = _config.Engine with { Encapsulation = EncapsulationKind.Vxlan } };
        Look();
        Look(isAudit: true);
        Assert.Equal(new ExpressLaneState("eth0", null), _keeper.State);
        _host.Strays = 3;
        Look(isAudit: true);
        const string Reason = "3 datagrams were lost that came in fragments or by another interface";
        Assert.Equal(new ExpressLaneState("eth0", null) { GroRefusal = Reason }, _keeper.State);
        _host.Strays = 0;
        _isOpen = false;
        Look(isAudit: true);
        Assert.Equal(["7-2 mtu 1500 gro: 192.0.2.2 192.0.2.3", "7-2 mtu 1500: 192.0.2.2 192.0.2.3", "7-2 mtu 1500: 192.0.2.2 192.0.2.3"], _calls);
        Assert.Contains($"Information: express lane without VXLAN GRO over eth0: {Reason}", _log.Lines);
    }

    /// <summary>One fragment of some other day is no reason to do without for ever; one every day is.</summary>
    [Fact]
    public void A_port_is_lent_again_after_ever_longer_times()
    {
        _host.MergesArrivals = true;
        _config = _config with { Engine = _config.Engine with { Encapsulation = EncapsulationKind.Vxlan } };
        Look();
        for (int pause = ExpressLaneKeeper.FirstStrayPause; pause < 3 * ExpressLaneKeeper.LastStrayPause; pause *= 2)
        {
            Assert.EndsWith("gro: 192.0.2.2 192.0.2.3", _calls[^1], StringComparison.Ordinal);
            _host.Strays = 1;
            Look(isAudit: true);
            _host.Strays = 0;
            int before = _calls.Count;
            Assert.DoesNotContain("gro", _calls[^1], StringComparison.Ordinal);
            for (int i = 1; i < Math.Min(pause, ExpressLaneKeeper.LastStrayPause); i++) Look(isAudit: true);
            Assert.Equal(before, _calls.Count);
            Assert.NotNull(_keeper.State.GroRefusal);
            Look(isAudit: true);
            Assert.Null(_keeper.State.GroRefusal);
        }
    }

    /// <summary>Whoever took the tunnel's port meanwhile: packets still arrive, and it is tried until the port is back.</summary>
    [Fact]
    public void A_port_that_does_not_come_back_is_asked_for_again()
    {
        Look();
        _host.Tun = null;
        _closeRefusal = new ErrnoException(Errno.EADDRINUSE, "cannot bind UDP 192.0.2.1:8472");
        Look();
        Look();
        Assert.Equal($"ff0 is missing; {_closeRefusal.Message}", _keeper.State.Reason);
        _closeRefusal = null;
        Look();
        Look();
        Assert.Equal(["closed", "closed", "closed"], _calls[1..]);
        Assert.Equal("ff0 is missing", _keeper.State.Reason);
    }

    [Fact]
    public void A_kernel_that_refuses_both_ways_is_asked_once()
    {
        _config = _config with { Engine = _config.Engine with { ExpressLane = ExpressLaneMode.On } };
        _refusal = new ErrnoException(Errno.EPERM, "cannot load the express lane");
        Look();
        Look();
        Look(isAudit: true);
        Assert.Equal(2, _calls.Count);
        Assert.Equal(_refusal.Message, _keeper.State.Reason);
    }

    [Fact]
    public void A_host_that_stops_answering_about_routes_closes_it()
    {
        Look();
        _keeper.Look(_config, isAudit: true);
        _host.Refusal = new("cannot find routes");
        Assert.False(_keeper.Ask());
        Assert.Equal("closed", _calls[^1]);
        Assert.Equal("cannot find routes", _keeper.State.Reason);
        _host.Refusal = null;
        Look(isAudit: true);
        Assert.Null(_keeper.State.Reason);
    }

    private void Look(bool isAudit = false)
    {
        _keeper.Look(_config, isAudit);
        while (_keeper.Ask())
        {
        }
    }

    private void Use(ExpressRoad? road, LaneEndpoints endpoints)
    {
        Exception? refusal = road switch { null => _closeRefusal, { Xdp: true } => _xdpRefusal ?? _refusal, { Gro: true } => _groRefusal ?? _refusal, _ => _refusal };
        _isOpen = road is not null && refusal is null;
        _calls.Add(road is null ? "closed" : string.Join(' ',
            [$"{road.TunIndex}-{road.UnderlayIndex} mtu {road.UnderlayMtu}{(road.Xdp ? " xdp" : "")}{(road.Gro ? " gro" : "")}:", .. endpoints.Open.Select(e => e.ToString()).Order(StringComparer.Ordinal)]));
        if (refusal is not null) throw refusal;
    }
}
