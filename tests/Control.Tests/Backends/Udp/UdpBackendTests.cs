using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Udp;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tests.Backends.Support;
using FlannelFast.Control.Tests.Backends.Vxlan;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Backends.Udp;

/// <summary>What the udp backend asks of the tunnel, which is a fake.</summary>
public sealed class UdpBackendTests : IDisposable
{
    private UdpBackend? _backend;
    private FakeTunnelRuntime? _tunnel;

    public void Dispose() => _backend?.Dispose();

    [Fact]
    public void The_tunnel_is_what_stock_makes()
    {
        Start();
        TunnelConfig config = _tunnel!.CurrentConfig;
        Assert.Equal(("flannel%d", 1472), (config.Device, config.Mtu));
        Assert.Equal([IPNetwork.Parse("10.5.0.0/16")], config.Networks);
        Assert.Equal([IPNetwork.Parse("10.5.1.0/32")], config.DeviceAddresses);
        EngineOptions engine = config.Engine;
        Assert.Equal((EncapsulationKind.Udp, IPAddress.Parse("192.0.2.1"), 8285, false), (engine.Encapsulation, engine.Local, engine.Port, engine.InnerIpv6));
        Assert.Equal(1472, _backend!.Mtu);
    }

    [Fact]
    public void Nothing_but_the_address_is_published()
    {
        Start();
        Assert.Equal(new("", default, default), _backend!.Announcement);
    }

    /// <summary>The interface's own address is bound, as stock does it: behind a NAT the published one is not the host's.</summary>
    [Fact]
    public void The_published_address_is_not_the_one_that_is_bound()
    {
        Start(external: Sample.External(1) with { PublicIP = IPAddress.Parse("203.0.113.1") });
        Assert.Equal(IPAddress.Parse("192.0.2.1"), _tunnel!.CurrentConfig.Engine.Local);
    }

    [Theory]
    [InlineData("""{"Type":"udp","port":7890}""", 7890)]
    [InlineData("""{"Type":"udp","Port":1,"Mtu":1}""", 1)]
    public void The_port_comes_from_the_config(string backend, int port)
    {
        Start(Sample.Network(backend));
        Assert.Equal(port, _tunnel!.CurrentConfig.Engine.Port);
    }

    [Theory]
    [InlineData("""{"Type":"udp","Port":0}""")]
    [InlineData("""{"Type":"udp","Port":65536}""")]
    [InlineData("""{"Type":"udp","Port":"8285"}""")]
    public void A_port_that_cannot_be_is_refused(string backend) => Assert.Throws<NetworkConfigException>(() => Start(Sample.Network(backend)));

    [Fact]
    public void A_network_without_ipv4_is_refused()
    {
        NetworkConfig network = Sample.Network("""{"Type":"udp"}""", ipv6: true) with { Ipv4 = null };
        Assert.Contains("IPv4", Assert.Throws<NetworkConfigException>(() => Start(network)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interface_that_leaves_no_room_is_refused()
    {
        var refused = Assert.Throws<InvalidOperationException>(() => Start(external: Sample.External(1, mtu: 603)));
        Assert.Contains("eth0 is 603", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Stock's value has neither BackendType nor BackendData, and stock does not look at them in others.</summary>
    [Fact]
    public void Every_other_lease_is_a_peer_whatever_it_names()
    {
        Start();
        ApplyResult result = _backend!.Apply([Sample.Lease(1), Sample.Lease(3, "vxlan", """{"VNI":1}"""), Sample.Lease(2), Sample.Lease(4, "host-gw")]);
        Assert.Equal(["10.5.2.0/24 at 192.0.2.2", "10.5.3.0/24 at 192.0.2.3", "10.5.4.0/24 at 192.0.2.4"], result.Changes);
        Assert.Empty(result.Failures);
        Assert.Equal([FakeTunnelRuntime.Peer(2), FakeTunnelRuntime.Peer(3), FakeTunnelRuntime.Peer(4)], _tunnel!.Peers);
        Assert.Contains((IPNetwork.Parse("10.5.3.0/24"), "flannel%d to 192.0.2.3:8285"), _backend.Routes);
    }

    /// <summary>The engine takes a table whole or not at all.</summary>
    [Fact]
    public void Whatever_is_in_the_store_good_peers_are_in_the_table()
    {
        Start();
        ApplyResult result = _backend!.Apply([.. GarbageLeases.All(Sample.Lease(1, data: "{}"), Sample.Lease(2, data: "{}")), Sample.Lease(2)]);
        // Those whose only fault is a VtepMAC are good enough here.
        Assert.Equal([2, 40, 41, 42, 43, 44, 45, 46], _tunnel!.Peers.Select(peer => (int)peer.Subnet.BaseAddress.GetAddressBytes()[2]));
        Assert.NotEmpty(result.Failures);
        PeerTable.Build([IPNetwork.Parse("10.5.1.0/24")], _tunnel.Peers, null, 1);
    }

    [Fact]
    public void Only_differences_are_published()
    {
        Start();
        _backend!.Apply([Sample.Lease(2), Sample.Lease(3)]);
        Assert.Empty(_backend.Apply([Sample.Lease(3), Sample.Lease(2)]).Changes);
        Assert.Equal(1, _tunnel!.Replacements);
        Lease moved = Sample.Lease(2) with { Attributes = Sample.Lease(2).Attributes with { PublicIP = IPAddress.Parse("192.0.2.20") } };
        Assert.Equal(["10.5.2.0/24 at 192.0.2.20", "10.5.3.0/24 removed", "10.5.4.0/24 at 192.0.2.4"], _backend.Apply([moved, Sample.Lease(4)]).Changes);
        Assert.Equal(2, _tunnel.Replacements);
    }

    [Fact]
    public void A_new_mtu_is_announced_and_a_new_address_bound()
    {
        Start();
        int announced = 0;
        _backend!.AnnouncementChanged += () => announced++;
        _backend.Follow(Sample.External(1, mtu: 1400));
        Assert.Equal((1372, 1372, 1), (_backend.Mtu, _tunnel!.CurrentConfig.Mtu, announced));
        _backend.Follow(Sample.External(9, mtu: 1400));
        Assert.Equal((IPAddress.Parse("192.0.2.9"), 1), (_tunnel.CurrentConfig.Engine.Local, announced));
        // What was a stranger's address is our own now.
        Assert.Contains("claims this host's own address 192.0.2.9", Assert.Single(_backend.Apply([Sample.Lease(9)]).Failures), StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_the_host_refuses_changes_nothing()
    {
        Start();
        _tunnel!.RefuseWith = new IOException("no interface of this host owns 192.0.2.9");
        Assert.Throws<IOException>(() => _backend!.Follow(Sample.External(9, mtu: 1400)));
        Assert.Equal(1472, _backend!.Mtu);
    }

    [Fact]
    public void The_end_of_the_tunnel_is_the_end_of_the_backend()
    {
        Start();
        Assert.False(_backend!.Completion.IsCompleted);
        _tunnel!.Die("worker 0 failed");
        Assert.True(_backend.Completion.IsFaulted);
    }

    [Fact]
    public void Ipv6_is_carried_while_every_other_host_says_that_it_is_ours()
    {
        Start(Sample.Network("""{"Type":"udp"}""", ipv6: true), Sample.External(1, ipv6: true), ipv6: true);
        TunnelConfig config = _tunnel!.CurrentConfig;
        Assert.True(config.Engine.InnerIpv6);
        Assert.Equal([IPNetwork.Parse("10.5.0.0/16"), IPNetwork.Parse("fd00:5::/48")], config.Networks);
        string ours = _backend!.Announcement.BackendV6Data.GetRawText();
        Assert.Equal("", _backend.Announcement.BackendType);

        Assert.Empty(_backend.Apply([Sample.Lease(2, ipv6: true, v6Data: ours), Sample.Lease(1, ipv6: true, v6Data: ours)]).Failures);
        Assert.Equal(["10.5.2.0/24", "fd00:5:0:2::/64"], _tunnel.Peers.Select(peer => peer.Subnet.ToString()));
        Assert.All(_tunnel.Peers, peer => Assert.Equal("192.0.2.2", peer.PublicIP.ToString()));

        // A stock host comes: it would take an IPv6 packet for IPv4 and write to the middle of an address.
        ApplyResult mixed = _backend.Apply([Sample.Lease(2, ipv6: true, v6Data: ours), Sample.Lease(3)]);
        Assert.Contains("10.5.3.0/24 is not known to be FlannelFast", Assert.Single(mixed.Failures), StringComparison.Ordinal);
        Assert.Equal(["10.5.2.0/24", "10.5.3.0/24"], _tunnel.Peers.Select(peer => peer.Subnet.ToString()));
    }

    [Fact]
    public void The_users_switches_reach_the_engine()
    {
        Start(options: new() { Tune = engine => engine with { SourceCheck = SourceCheck.Peer, Queues = 2 } });
        Assert.Equal((SourceCheck.Peer, 2), (_tunnel!.CurrentConfig.Engine.SourceCheck, _tunnel.CurrentConfig.Engine.Queues));
    }

    private void Start(NetworkConfig? network = null, ExternalInterface? external = null, bool ipv6 = false, BackendOptions? options = null)
    {
        BackendContext context = Sample.Context(network ?? Sample.Network("""{"Type":"udp"}"""), external ?? Sample.External(1), options: options);
        _backend = new(context, (config, _) => _tunnel = new(config));
        _backend.Start(Sample.Lease(1, ipv6: ipv6));
    }
}
