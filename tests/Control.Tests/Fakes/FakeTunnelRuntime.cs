using System.Net;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Tests.Fakes;

/// <summary>A tunnel without kernel: keeps its peers, reports fixed counters, dies on request.</summary>
internal sealed class FakeTunnelRuntime(TunnelConfig config) : ITunnelRuntime
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The express lane, which is closed with udp; no claim about the real one.</summary>
    private readonly ExpressLaneStatus? _lane = config.Engine.Encapsulation == EncapsulationKind.Udp ? null
        : new(new() { TunIndex = 7, UnderlayIndex = 2, UnderlayMtu = 1500, Tcp = true }, 12, new(3_000_000, 4_200_000_000, 7), new(6_000_000, 8_400_000_000, 0));

    public volatile IReadOnlyList<Peer> CurrentPeers = config.Peers;

    public int Replacements;

    public bool IsDisposed;

    public Exception? RefuseWith { get; set; }

    public TunnelConfig CurrentConfig { get; private set; } = config;

    TunnelConfig ITunnelRuntime.Config => CurrentConfig;

    public IReadOnlyList<Peer> Peers => CurrentPeers;

    public Task Completion => _completion.Task;

    public void Die(string reason) => _completion.SetException(new IOException(reason));

    public TunnelStatus ReadStatus()
    {
        long n = 0;
        return new(
            new("ff0", 7, CurrentConfig.Mtu > 0 ? CurrentConfig.Mtu : 1500 - CurrentConfig.Overhead, [.. CurrentConfig.DeviceAddresses.Select(a => a.ToString())]),
            new(new(true, true, false, true, false, true, 5, "cannot bind another source port at 192.0.2.1: Address already in use (errno 98)", 8388608, 4194304), [Worker(0), Worker(1)], 0, 3, _lane),
            [.. CurrentPeers.Select(p => new PeerTraffic(p, 1000 + ++n, 1_500_000 * n, 2000 + n, 3_000_000 * n, n % 3 == 0 ? 5 : 0))],
            _lane is null ? new(null, "this host has IPsec policies") : new("eth0", null));
    }

    public void ReplacePeers(IReadOnlyList<Peer> peers)
    {
        if (RefuseWith is not null) throw RefuseWith;
        Interlocked.Increment(ref Replacements);
        CurrentPeers = [.. peers];
    }

    public void Follow(IPAddress local, int mtu)
    {
        if (RefuseWith is not null) throw RefuseWith;
        CurrentConfig = CurrentConfig with { Mtu = mtu, Engine = CurrentConfig.Engine with { Local = local } };
    }

    public void Dispose() => IsDisposed = true;

    /// <summary>A tunnel without peers for tests that need just any.</summary>
    public static TunnelConfig Config(EncapsulationKind kind = EncapsulationKind.Udp, params Peer[] peers) => new()
    {
        Device = "ff0",
        Networks = [IPNetwork.Parse("10.5.0.0/16")],
        Subnets = [IPNetwork.Parse("10.5.1.0/24")],
        Mtu = 0,
        Engine = new()
        {
            Encapsulation = kind,
            Local = IPAddress.Parse("192.0.2.1"),
            Port = TunnelDefaults.PortOf(kind),
            Mac = kind == EncapsulationKind.Vxlan ? VtepMac.Derive(IPAddress.Parse("192.0.2.1")) : default,
        },
        Peers = peers,
    };

    public static Peer Peer(int number, MacAddress mac = default) =>
        new(IPNetwork.Parse($"10.5.{number}.0/24"), IPAddress.Parse($"192.0.2.{number}"), mac);

    private static WorkerStatus Worker(int index) => new(
        index,
        new(1_000_100, 1_400_000_000, 25_000, 1_000_000, 1_399_990_000, 24_000, new Dictionary<string, long> { ["no_route"] = 97, ["ttl"] = 3 }),
        new(2_000_012, 2_800_000_000, 50_000, 2_000_000, 2_799_990_000, 45_000, new Dictionary<string, long> { ["spoof_src"] = 12 }),
        12_345 + index, 678, 0, 4, 9, 0, 1);
}
