using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tests.Backends.Support;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

/// <summary>What the packet engine's vxlan backend asks of its tunnels, which are fakes.</summary>
public sealed class EngineVxlanBackendTests : IDisposable
{
    private readonly List<FakeTunnelRuntime> _tunnels = [];
    private Exception? _refusal;
    private EngineVxlanBackend? _backend;
    private int _announced;

    public void Dispose() => _backend?.Dispose();

    [Fact]
    public void The_tunnel_has_the_name_and_the_numbers_of_stocks_device()
    {
        Start("""{"Type":"vxlan","VNI":7,"Port":4789}""");
        TunnelConfig config = Assert.Single(_tunnels).CurrentConfig;
        Assert.Equal(("flannel.7", 1450), (config.Device, config.Mtu));
        Assert.Equal([IPNetwork.Parse("10.5.1.0/32")], config.DeviceAddresses);
        EngineOptions engine = config.Engine;
        Assert.Equal((EncapsulationKind.Vxlan, IPAddress.Parse("192.0.2.1"), 4789, 7), (engine.Encapsulation, engine.Local, engine.Port, engine.Vni));
        Assert.Equal(1450, _backend!.Mtu);
    }

    /// <summary>The same that the kernel's device gets, so that it survives restarts and a change of the data plane.</summary>
    [Fact]
    public void The_lease_publishes_the_VtepMAC_of_the_published_address()
    {
        Start(external: Sample.External(1) with { PublicIP = IPAddress.Parse("203.0.113.1") });
        Assert.Equal("vxlan", _backend!.Announcement.BackendType);
        Assert.Equal("""{"VNI":1,"VtepMAC":"02:ff:cb:00:71:01"}""", _backend.Announcement.BackendData.GetRawText());
        Assert.Equal(System.Text.Json.JsonValueKind.Undefined, _backend.Announcement.BackendV6Data.ValueKind);
        Assert.Equal("02:ff:cb:00:71:01", _tunnels[0].CurrentConfig.Engine.Mac.ToString());
    }

    [Fact]
    public void Leases_of_vxlan_hosts_are_peers()
    {
        Start();
        ApplyResult result = _backend!.Apply([Lease(1), Lease(3), Lease(2), Sample.Lease(4), Sample.Lease(5, "vxlan"), Sample.Lease(6, "host-gw")]);
        Assert.Equal(["10.5.2.0/24 at 192.0.2.2, 02:00:00:00:00:02", "10.5.3.0/24 at 192.0.2.3, 02:00:00:00:00:03"], result.Changes);
        Assert.Contains("10.5.5.0/24", Assert.Single(result.Failures), StringComparison.Ordinal);
        Assert.Equal(["10.5.2.0/24", "10.5.3.0/24"], _tunnels[0].Peers.Select(peer => peer.Subnet.ToString()));
        Assert.Contains((IPNetwork.Parse("10.5.3.0/24"), "192.0.2.3 dev flannel.1"), _backend.Routes);
        Assert.Empty(_backend.Apply([Lease(2), Lease(3)]).Changes);
        Assert.Equal(1, _tunnels[0].Replacements);
    }

    /// <summary>The engine takes a table whole or not at all.</summary>
    [Fact]
    public void Whatever_is_in_the_store_good_peers_are_in_the_table()
    {
        Start();
        Lease own = Lease(1) with { Attributes = Lease(1).Attributes with { BackendData = _backend!.Announcement.BackendData } };
        Lease[] garbage = GarbageLeases.All(own, Lease(2));
        ApplyResult result = _backend.Apply([.. garbage, own, Lease(2)]);
        Assert.Equal(garbage.Length, result.Failures.Count);
        Assert.Equal(["10.5.2.0/24"], _tunnels[0].Peers.Select(peer => peer.Subnet.ToString()));
        PeerTable.Build([IPNetwork.Parse("10.5.1.0/24")], _tunnels[0].Peers, null, 1);
    }

    /// <summary>IPv6 travels over IPv6 in a device of its own, with headers that are 20 bytes longer.</summary>
    [Fact]
    public void Each_family_has_its_tunnel()
    {
        Start(ipv6: true);
        Assert.Equal(["flannel.1", "flannel-v6.1"], _tunnels.Select(tunnel => tunnel.CurrentConfig.Device));
        Assert.Equal([1450, 1430], _tunnels.Select(tunnel => tunnel.CurrentConfig.Mtu));
        Assert.Equal(1430, _backend!.Mtu);
        Assert.Equal(IPAddress.Parse("2001:db8::1"), _tunnels[1].CurrentConfig.Engine.Local);
        Assert.NotEqual(_backend.Announcement.BackendData.GetRawText(), _backend.Announcement.BackendV6Data.GetRawText());

        Assert.Empty(_backend.Apply([Lease(2, ipv6: true), Lease(3)]).Failures);
        Assert.Equal(["10.5.2.0/24", "10.5.3.0/24"], _tunnels[0].Peers.Select(peer => peer.Subnet.ToString()));
        Assert.Equal(["fd00:5:0:2::/64=2001:db8::2,02:00:00:00:06:02"], _tunnels[1].Peers.Select(peer => $"{peer.Subnet}={peer.PublicIP},{peer.VtepMac}"));
    }

    [Theory]
    [InlineData("""{"Type":"vxlan","GBP":true}""", "GBP needs the kernel's vxlan device")]
    [InlineData("""{"Type":"vxlan","VNI":16777216}""", "VNI")]
    public void What_the_engine_cannot_do_is_refused(string backend, string reason) =>
        Assert.Contains(reason, Assert.Throws<NetworkConfigException>(() => Start(backend)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_underlay_without_ipv6_is_refused() =>
        Assert.Contains("no IPv6 address", Assert.Throws<InvalidOperationException>(() => Start(external: Sample.External(1), ipv6: true)).Message, StringComparison.Ordinal);

    [Fact]
    public void Another_mtu_is_followed_without_a_new_tunnel()
    {
        Start();
        _backend!.Follow(Sample.External(1, mtu: 1400));
        Assert.Equal((1350, 1350, 1), (_backend.Mtu, Assert.Single(_tunnels).CurrentConfig.Mtu, _announced));
    }

    /// <summary>The VtepMAC is made of the address: kept, it might soon be that of another host.</summary>
    [Fact]
    public void Another_address_means_another_VtepMAC_and_a_new_tunnel_with_the_same_peers()
    {
        Start();
        _backend!.Apply([Lease(2)]);
        _backend.Follow(Sample.External(9));
        Assert.True(_tunnels[0].IsDisposed);
        FakeTunnelRuntime now = _tunnels[1];
        Assert.Equal(("02:ff:c0:00:02:09", IPAddress.Parse("192.0.2.9")), (now.CurrentConfig.Engine.Mac.ToString(), now.CurrentConfig.Engine.Local));
        Assert.Equal(_tunnels[0].Peers, now.Peers);
        Assert.Equal(1, _announced);
        Assert.Contains("02:ff:c0:00:02:09", _backend.Announcement.BackendData.GetRawText(), StringComparison.Ordinal);
        Assert.False(_backend.Completion.IsCompleted);
    }

    [Fact]
    public void A_tunnel_that_the_host_refuses_is_made_at_a_later_apply()
    {
        Start();
        _backend!.Apply([Lease(2)]);
        _refusal = new IOException("device flannel.1 exists already");
        Assert.Throws<IOException>(() => _backend.Follow(Sample.External(9)));
        Assert.Equal("device flannel.1 exists already", Assert.Single(_backend.Apply([Lease(2)]).Failures));
        _refusal = null;
        Assert.Equal(["10.5.2.0/24 at 192.0.2.2, 02:00:00:00:00:02"], _backend.Apply([Lease(2)]).Changes);
        Assert.Equal(2, _tunnels.Count);
        Assert.False(_backend.Completion.IsCompleted);
    }

    [Fact]
    public async Task The_end_of_a_tunnel_is_the_end_of_the_backend()
    {
        Start(ipv6: true);
        Assert.False(_backend!.Completion.IsCompleted);
        _tunnels[1].Die("worker 0 failed");
        await Assert.ThrowsAsync<IOException>(() => _backend.Completion.WaitAsync(TimeSpan.FromSeconds(5), TestContext.Current.CancellationToken));
    }

    private void Start(string backend = """{"Type":"vxlan"}""", ExternalInterface? external = null, bool ipv6 = false)
    {
        BackendContext context = Sample.Context(Sample.Network(backend, ipv6), external ?? Sample.External(1, ipv6: ipv6));
        _backend = new(context, new NetlinkClient(), (config, _) =>
        {
            if (_refusal is not null) throw _refusal;
            var tunnel = new FakeTunnelRuntime(config);
            _tunnels.Add(tunnel);
            return tunnel;
        });
        _backend.AnnouncementChanged += () => _announced++;
        _backend.Start(Lease(1, ipv6));
    }

    private static Lease Lease(int host, bool ipv6 = false) => Sample.Lease(
        host, "vxlan", $$"""{"VNI":1,"VtepMAC":"02:00:00:00:00:{{host:x2}}"}""", ipv6, ipv6 ? $$"""{"VNI":1,"VtepMAC":"02:00:00:00:06:{{host:x2}}"}""" : null);
}
