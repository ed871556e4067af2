using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Backends.Engine;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>
/// One address family of the packet engine's vxlan backend: a tunnel over the underlay of that family, and with DirectRouting the routes around it.
/// One thread at a time, except <see cref="Tunnel"/>, <see cref="Routes"/> and <see cref="IsDamagedBy"/>.
/// </summary>
internal sealed class EngineVxlanFamily : IDisposable
{
    private readonly BackendContext _context;
    private readonly ILogger _log;
    private readonly NetlinkClient _netlink;
    private readonly TunnelRuntimeFactory _startTunnel;
    private readonly Action<ITunnelRuntime> _onStarted;
    private readonly VxlanConfig _config;
    private readonly FamilyConfig _network;
    private readonly AddressFamily _family;
    private readonly DirectRoutes? _direct;
    private volatile Underlay _underlay;
    private IPNetwork? _own;
    private volatile ITunnelRuntime? _tunnel;

    /// <summary>What the underlay means to this family.</summary>
    private sealed record Underlay(Link Link, IPAddress Address, IPAddress PublicIP, MacAddress Mac, int Mtu);

    /// <summary>Touches nothing on the host yet.</summary>
    /// <param name="context">What the backend is prepared with.</param>
    /// <param name="config">The backend's part of the config.</param>
    /// <param name="network">The pod network of the family.</param>
    /// <param name="netlink">Host access, not owned.</param>
    /// <param name="startTunnel">Makes the tunnel.</param>
    /// <param name="onStarted">Told of each tunnel that was started.</param>
    /// <exception cref="InvalidOperationException">The underlay has no address of the family, or too small an MTU.</exception>
    internal EngineVxlanFamily(
        BackendContext context, VxlanConfig config, FamilyConfig network, NetlinkClient netlink, TunnelRuntimeFactory startTunnel, Action<ITunnelRuntime> onStarted)
    {
        _context = context;
        _log = context.Log.CreateLogger("vxlan");
        _netlink = netlink;
        _startTunnel = startTunnel;
        _onStarted = onStarted;
        _config = config;
        _network = network;
        _family = network.Network.BaseAddress.AddressFamily;
        _direct = config.DirectRouting ? new(netlink, network) : null;
        _underlay = Choose(context.External);
    }

    internal bool IsIpv6 => _family == AddressFamily.InterNetworkV6;

    /// <summary>What the lease publishes for this family.</summary>
    internal VxlanLeaseData LeaseData => new((uint)_config.Vni, _underlay.Mac);

    /// <summary>Null before the start, and while the host refuses it.</summary>
    internal ITunnelRuntime? Tunnel => _tunnel;

    internal IEnumerable<(IPNetwork Subnet, string Via)> Routes
    {
        get
        {
            IReadOnlyDictionary<IPNetwork, Route>? direct = _direct?.Current;
            string link = _underlay.Link.Name;
            return (_tunnel?.Peers ?? []).Select(peer => (peer.Subnet, $"{peer.PublicIP} dev {(direct?.ContainsKey(peer.Subnet) == true ? link : Device)}"));
        }
    }

    private string Device => IsIpv6 ? _config.DeviceV6 : _config.Device;

    /// <summary>Makes the tunnel for this host's subnet.</summary>
    /// <exception cref="IOException">The host refused.</exception>
    internal void Start(IPNetwork own)
    {
        _own = own;
        Start(_underlay, []);
    }

    /// <summary>Makes tunnel and routes those of the leases.</summary>
    /// <exception cref="IOException">The host refused.</exception>
    internal void Apply(IReadOnlyCollection<Lease> leases, List<string> changes, List<string> failures)
    {
        IPNetwork own = _own ?? throw new InvalidOperationException("the vxlan backend was not started");
        ITunnelRuntime tunnel = _tunnel ?? Start(_underlay, []);
        List<PeerLease> usable = new PeerLeaseSelector("vxlan", _family, _network.Network, own, _underlay.Address, _underlay.PublicIP).Select(leases, failures);
        List<VxlanPeer> vteps = VxlanPeer.Read(usable, IsIpv6, _underlay.Mac, failures);
        List<Peer> peers = vteps.ConvertAll(vtep => new Peer(vtep.Subnet, vtep.PublicIP, vtep.Mac));
        PeerOrder.Sort(peers);
        int before = changes.Count;
        PeerOrder.Compare(tunnel.Peers, peers, changes);
        if (changes.Count > before) tunnel.ReplacePeers(peers);
        _direct?.Apply(vteps, _underlay.Link, _netlink.Links.Find(Device), changes, failures);
    }

    /// <summary>The underlay is another, or has another address or MTU.</summary>
    /// <exception cref="IOException">The host refused.</exception>
    /// <exception cref="InvalidOperationException">It cannot carry this family.</exception>
    internal void Follow(ExternalInterface external)
    {
        Underlay now = Choose(external), before = _underlay;
        if (_tunnel is { } tunnel)
        {
            // Asked first also where it does not suffice: what the host refuses leaves the old tunnel running.
            tunnel.Follow(now.Address, now.Mtu);
            if (now.Mac != before.Mac) Restart(tunnel, now);
        }
        _underlay = now;
    }

    /// <inheritdoc cref="DirectRoutes.IsDamagedBy"/>
    internal bool IsDamagedBy(NetworkChange change) => _direct?.IsDamagedBy(change, _underlay.Link.Index) == true;

    /// <summary>Removes the tunnel. Direct routes stay, as stock leaves them: they work without anybody.</summary>
    public void Dispose()
    {
        ITunnelRuntime? tunnel = _tunnel;
        _tunnel = null;
        tunnel?.Dispose();
    }

    private ITunnelRuntime Start(Underlay underlay, IReadOnlyList<Peer> peers)
    {
        RemoveKernelDevice();
        IPNetwork own = _own!.Value;
        var engine = new EngineOptions
        {
            Encapsulation = EncapsulationKind.Vxlan,
            Local = underlay.Address,
            Port = _config.Port,
            Vni = _config.Vni,
            Mac = underlay.Mac,
        };
        ITunnelRuntime tunnel = _startTunnel(new()
        {
            Device = Device,
            Networks = [_network.Network],
            Subnets = [own],
            Mtu = underlay.Mtu,
            Engine = _context.Options.Tune(engine),
            Peers = peers,
            Advice = TunnelAdvice.ForBackend,
        }, _context.Log);
        _tunnel = tunnel;
        _onStarted(tunnel);
        return tunnel;
    }

    /// <summary>The VtepMAC is in every frame an engine makes: another one needs another engine.</summary>
    private void Restart(ITunnelRuntime tunnel, Underlay underlay)
    {
        IReadOnlyList<Peer> peers = tunnel.Peers;
        // Should the start fail, the next apply tries again, with what is chosen now.
        _underlay = underlay;
        Dispose();
        Start(underlay, peers);
    }

    /// <summary>A device of ours that the kernel carried until now, or stock's: two cannot have the name, nor the port.</summary>
    private void RemoveKernelDevice()
    {
        if (_netlink.Links.Find(Device) is not { Kind: "vxlan" } found) return;
        _log.KernelDeviceRemoved(found.Name);
        _netlink.Links.TryDelete(found);
    }

    private Underlay Choose(ExternalInterface external)
    {
        Link link = external.Link;
        IPAddress address = (IsIpv6 ? external.AddressV6 : external.Address)
            ?? throw new InvalidOperationException($"{link.Name} has no {(IsIpv6 ? "IPv6" : "IPv4")} address, which the vxlan backend needs");
        IPAddress published = (IsIpv6 ? external.PublicIPv6 : external.PublicIP) ?? address;
        int mtu = _config.MtuOver(_family, link.Mtu), least = IsIpv6 ? TunnelDefaults.MinMtuOfV6 : TunnelDefaults.MinMtu;
        if (mtu < least)
            throw new InvalidOperationException($"the MTU of {link.Name} is {link.Mtu}: {mtu} would be left for packets in {Device}, at least {least} are needed");
        // As for the kernel's device: it survives a restart, and a change between the two.
        return new(link, address, published, VtepMac.Derive(published), mtu);
    }
}
