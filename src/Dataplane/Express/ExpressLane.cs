using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// The express lane of one engine: its maps, and while it is open its two programs, attached to the TUN device and to the underlay. The kernel takes the programs off when this
/// process ends, however it ends. One thread at a time.
/// </summary>
internal sealed class ExpressLane : IDisposable
{
    private readonly uint _subnet, _mask;
    private readonly LaneMaps _maps = new();
    private NativeFd? _egress, _ingress;
    private IReadOnlySet<IPAddress> _endpoints = new HashSet<IPAddress>();
    private EngineOptions _options;
    private ExpressRoad? _road;

    /// <summary>Makes a lane that is closed.</summary>
    /// <exception cref="ErrnoException">The kernel refused.</exception>
    internal ExpressLane(EngineOptions options, IPNetwork subnet)
    {
        _options = options;
        _subnet = BinaryPrimitives.ReadUInt32BigEndian(subnet.BaseAddress.GetAddressBytes());
        _mask = LaneCode.Mask(subnet.PrefixLength);
    }

    internal bool IsOpen => _road is not null;

    /// <summary>Why an engine can have no lane, or null.</summary>
    internal static string? WhyImpossible(EngineOptions options, IReadOnlyList<IPNetwork> localSubnets)
    {
        if (options.ExpressLane == ExpressLaneMode.Off) return "it is switched off";
        if (options.Local.AddressFamily != AddressFamily.InterNetwork) return "the underlay is IPv6";
        if (options.SourceCheck != SourceCheck.Strict) return "senders are not checked strictly";
        return localSubnets.Any(IsIpv4) ? null : "there are no IPv4 packets inside";
    }

    /// <summary>Our own IPv4 subnet, of which there is one.</summary>
    internal static IPNetwork SubnetOf(IReadOnlyList<IPNetwork> localSubnets) => localSubnets.First(IsIpv4);

    /// <summary>Opens the lane, moves it, or changes who takes it.</summary>
    /// <exception cref="ErrnoException">The kernel refused; the lane is closed.</exception>
    internal void Use(ExpressRoad road, IReadOnlySet<IPAddress> endpoints, PeerTable table)
    {
        try
        {
            _endpoints = endpoints;
            bool isAnother = _maps.Apply(table, endpoints);
            if (road == _road && !isAnother) return;
            Close();
            LaneFacts facts = Facts(road);
            using NativeFd egress = Bpf.LoadProgram("ff_egress", EgressProgram.Write(facts));
            using NativeFd ingress = Bpf.LoadProgram("ff_ingress", IngressProgram.Write(facts));
            _ingress = Bpf.Attach(ingress, road.UnderlayIndex, Libc.BPF_TCX_INGRESS);
            _egress = Bpf.Attach(egress, road.TunIndex, Libc.BPF_TCX_EGRESS);
            _road = road;
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <summary>Other peers, the same endpoints: a new peer at an endpoint that is not known to be reached stays with the engine.</summary>
    /// <exception cref="ErrnoException">The kernel refused; the lane is closed.</exception>
    internal void Publish(PeerTable table)
    {
        if (_road is { } road) Use(road, _endpoints, table);
    }

    /// <summary>Closes it; the next one is for another local address.</summary>
    internal void Rebind(EngineOptions moved)
    {
        Close();
        _options = moved;
    }

    /// <summary>Takes the programs off. Counters stay.</summary>
    internal void Close()
    {
        _road = null;
        _egress?.Dispose();
        _ingress?.Dispose();
        (_egress, _ingress) = (null, null);
    }

    internal ExpressLaneStatus ReadStatus() =>
        new(_road, IsOpen ? _maps.PeerCount : 0, _maps.ReadTotals(LaneDirection.Egress), _maps.ReadTotals(LaneDirection.Ingress));

    /// <summary>A peer's status with what the lane carried for it.</summary>
    internal PeerStatus AddTo(PeerStatus peer) => _maps.AddTo(peer);

    public void Dispose()
    {
        Close();
        _maps.Dispose();
    }

    private LaneFacts Facts(ExpressRoad road) => new()
    {
        Road = road,
        IsVxlan = _options.Encapsulation == EncapsulationKind.Vxlan,
        LocalAddress = BinaryPrimitives.ReadUInt32BigEndian(_options.Local.GetAddressBytes()),
        Port = _options.Port,
        CheckSourcePort = _options.CheckSourcePort,
        SpreadsSourcePorts = _options.SourcePorts > 1,
        Vni = _options.Vni,
        Mac = BinaryPrimitives.ReverseEndianness(_options.Mac.Value) >> 16,
        Subnet = _subnet,
        SubnetMask = _mask,
        Peers = _maps.Peers,
        PrefixLength = _maps.PrefixLength,
        Totals = _maps.Totals,
        Endpoints = _maps.Endpoints,
        Flows = _maps.Flows,
    };

    private static bool IsIpv4(IPNetwork network) => network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
}
