using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Backends.Engine;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Backends.Udp;

/// <summary>
/// flannel's udp backend by the packet engine: a TUN device that the whole network is routed into, and one UDP port. Every other lease is a peer,
/// whatever backend it names, as stock has it. Disposing it removes everything, as stock's does. IPv6 inside the tunnel is an extension:
/// carried as long as every other lease is known to be ours (<see cref="UdpLeaseData"/>), because stock's proxy would damage such packets.
/// </summary>
internal sealed class UdpBackend : IBackend, IEngineBackend
{
    /// <summary>As stock asks for it: the kernel puts the first free number there, 0 unless another daemon runs.</summary>
    private const string DevicePattern = "flannel%d";

    private readonly BackendContext _context;
    private readonly TunnelRuntimeFactory _startTunnel;
    private readonly UdpConfig _config;
    private readonly TaskCompletionSource _notStarted = new();
    private ExternalInterface _external;
    private LeasedSubnet? _own;
    private PeerLeaseSelector? _ipv4, _ipv6;
    private ITunnelRuntime? _tunnel;

    /// <summary>Prepares the backend with another tunnel than the host's own, for tests.</summary>
    /// <inheritdoc cref="BackendFactory"/>
    internal UdpBackend(BackendContext context, TunnelRuntimeFactory startTunnel)
    {
        _context = context;
        _startTunnel = startTunnel;
        _config = UdpConfig.Read(context.Network);
        _external = context.External;
        Announcement = new("", BackendV6Data: context.Network.Ipv6 is null ? default : UdpLeaseData.InnerIpv6);
        Mtu = MtuOver(_external);
        _ = LocalOf(_external);
    }

    /// <inheritdoc cref="BackendFactory"/>
    internal static IBackend Prepare(BackendContext context)
    {
        var backend = new UdpBackend(context, TunnelRuntime.Start);
        HostRequirements.Check();
        return backend;
    }

    public BackendAnnouncement Announcement { get; }

    public int Mtu { get; private set; }

    public Task Completion => _tunnel?.Completion ?? _notStarted.Task;

    public event Action? AnnouncementChanged;

    /// <summary>Never raised: the tunnel repairs its device by itself, and peers are in the engine, out of everybody's reach.</summary>
    public event Action? RepairNeeded
    {
        add { }
        remove { }
    }

    public IReadOnlyList<ITunnelRuntime> Tunnels => _tunnel is { } tunnel ? [tunnel] : [];

    public IReadOnlyList<(IPNetwork Subnet, string Via)> Routes =>
        _tunnel is { } tunnel ? [.. tunnel.Peers.Select(peer => (peer.Subnet, $"{tunnel.Config.Device} to {new IPEndPoint(peer.PublicIP, _config.Port)}"))] : [];

    public void Start(Lease own)
    {
        NetworkConfig network = _context.Network;
        if (own.Subnet.Ipv4 is not { } subnet) throw new InvalidOperationException($"the udp backend needs an IPv4 subnet, and the lease is {own.Subnet}");
        bool ipv6 = network.Ipv6 is not null && own.Subnet.Ipv6 is not null;
        var engine = new EngineOptions { Encapsulation = EncapsulationKind.Udp, Local = LocalOf(_external), Port = _config.Port, InnerIpv6 = ipv6 };
        var config = new TunnelConfig
        {
            Device = DevicePattern,
            Networks = ipv6 ? [network.Ipv4!.Network, network.Ipv6!.Network] : [network.Ipv4!.Network],
            Subnets = ipv6 ? [subnet, own.Subnet.Ipv6!.Value] : [subnet],
            Mtu = Mtu,
            Engine = _context.Options.Tune(engine),
            Peers = [],
            Advice = TunnelAdvice.ForBackend,
        };
        _own = own.Subnet;
        MakeSelectors();
        _tunnel = _startTunnel(config, _context.Log);
    }

    public ApplyResult Apply(IReadOnlyCollection<Lease> leases)
    {
        if (_tunnel is not { } tunnel) throw new InvalidOperationException("the udp backend was not started");
        List<string> changes = [], failures = [];
        List<PeerLease> usable = _ipv4!.Select(leases, failures);
        if (tunnel.Config.Engine.InnerIpv6)
        {
            if (FirstWithoutIpv6(leases) is { } stranger)
                failures.Add($"no IPv6 between the hosts: {stranger.Subnet} is not known to be FlannelFast, and stock's udp proxy carries IPv4 only");
            else
                usable.AddRange(_ipv6!.Select(leases, failures));
        }
        List<Peer> peers = usable.ConvertAll(lease => new Peer(lease.Subnet, lease.PublicIP));
        PeerOrder.Sort(peers);
        PeerOrder.Compare(tunnel.Peers, peers, changes);
        if (changes.Count > 0) tunnel.ReplacePeers(peers);
        return new(changes, failures);
    }

    public void Follow(ExternalInterface external)
    {
        int mtu = MtuOver(external);
        _tunnel?.Follow(LocalOf(external), mtu);
        _external = external;
        if (_own is not null) MakeSelectors();
        if (mtu == Mtu) return;
        Mtu = mtu;
        AnnouncementChanged?.Invoke();
    }

    public void Dispose() => Interlocked.Exchange(ref _tunnel, null)?.Dispose();

    /// <summary>Packets of both families go to the IPv4 address of their host: there is one socket.</summary>
    private void MakeSelectors()
    {
        IPAddress?[] own = [_external.Address, _external.PublicIP];
        _ipv4 = new(null, AddressFamily.InterNetwork, _context.Network.Ipv4!.Network, _own!.Ipv4!.Value, own);
        if (_context.Network.Ipv6 is { } network && _own.Ipv6 is { } subnet)
            _ipv6 = new(null, AddressFamily.InterNetworkV6, network.Network, subnet, own) { Underlay = AddressFamily.InterNetwork };
    }

    private Lease? FirstWithoutIpv6(IReadOnlyCollection<Lease> leases)
    {
        foreach (Lease lease in leases)
        {
            if (lease.Subnet != _own && !UdpLeaseData.CarriesIpv6(lease)) return lease;
        }
        return null;
    }

    /// <summary>Stock binds the interface's address, not the published one: behind a NAT the host does not own the latter.</summary>
    private static IPAddress LocalOf(ExternalInterface external) =>
        external.Address ?? throw new InvalidOperationException($"the udp backend needs an IPv4 address, and {external.Link.Name} has none");

    private int MtuOver(ExternalInterface external)
    {
        const int overhead = 20 + 8;
        // Loopback has 65536, one more than an IP packet can have.
        int mtu = Math.Min(external.Link.Mtu, TunnelDefaults.MaxMtu) - overhead;
        int least = _context.Network.Ipv6 is null ? TunnelDefaults.MinMtu : TunnelDefaults.MinMtuOfV6;
        return mtu >= least ? mtu : throw new InvalidOperationException(
            $"the MTU of {external.Link.Name} is {external.Link.Mtu}: {mtu} would be left for packets in the tunnel, at least {least} are needed");
    }
}
