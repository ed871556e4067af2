using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Express;

/// <summary>
/// The express lane of one engine: its maps, and while it is open its programs, attached to the TUN device and to the underlay. The kernel takes the programs off when this
/// process ends, however it ends. One thread at a time.
/// </summary>
internal sealed class ExpressLane : IDisposable
{
    private readonly Prefix _subnet;
    private readonly LaneMaps _maps = new();
    private NativeFd? _egress, _ingress, _xdp, _before;
    private LaneEndpoints _endpoints = LaneEndpoints.None;
    private EngineOptions _options;
    private ExpressRoad? _road;

    /// <summary>Makes a lane that is closed.</summary>
    /// <exception cref="ErrnoException">The kernel refused.</exception>
    internal ExpressLane(EngineOptions options, IReadOnlyList<IPNetwork> localSubnets)
    {
        _options = options;
        _subnet = Prefix.From(localSubnets.First(IsIpv4));
    }

    internal bool IsOpen => _road is not null;

    /// <summary>Why an engine can have no lane, in one clause, or null.</summary>
    /// <param name="options">Those of the engine.</param>
    /// <param name="inside">Networks of the packets inside, or our own parts of them.</param>
    internal static string? WhyImpossible(EngineOptions options, IReadOnlyList<IPNetwork> inside)
    {
        if (options.ExpressLane == ExpressLaneMode.Off) return "it is switched off";
        if (options.SourceCheck != SourceCheck.Strict) return "the source check is not strict";
        if (options.Local.AddressFamily != AddressFamily.InterNetwork) return "the underlay is IPv6";
        return inside.Any(IsIpv4) ? null : "the tunnel carries no IPv4";
    }

    /// <summary>Opens the lane, moves it, or changes who takes it.</summary>
    /// <param name="road">Where.</param>
    /// <param name="endpoints">Hosts that take part.</param>
    /// <param name="table">The engine's peers.</param>
    /// <param name="before">A program at the underlay's way in that gets what the lane leaves; not owned.</param>
    /// <exception cref="ErrnoException">The kernel refused; the lane is closed.</exception>
    internal void Use(ExpressRoad road, LaneEndpoints endpoints, PeerTable table, NativeFd? before)
    {
        try
        {
            (_endpoints, _before) = (endpoints, before);
            bool isAnother = _maps.Apply(table, endpoints);
            if (road == _road && !isAnother) return;
            Close();
            LaneFacts facts = Facts(road);
            using NativeFd egress = Bpf.LoadProgram("ff_egress", EgressProgram.Write(facts));
            using NativeFd ingress = Bpf.LoadProgram("ff_ingress", IngressProgram.Write(facts));
            _ingress = Bpf.Attach(ingress, road.UnderlayIndex, Libc.BPF_TCX_INGRESS, before);
            if (road.Xdp) _xdp = AttachXdp(facts);
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
        if (_road is { } road) Use(road, _endpoints, table, _before);
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
        // Before the one that knows its mark. What is between the two now reaches the stack as a packet of the underlay, and is routed like one.
        _xdp?.Dispose();
        _ingress?.Dispose();
        (_egress, _ingress, _xdp) = (null, null, null);
    }

    internal ExpressLaneStatus ReadStatus() =>
        new(_road, IsOpen ? _maps.PeerCount : 0, _maps.ReadTotals(LaneDirection.Egress), _maps.ReadTotals(LaneDirection.Ingress));

    /// <summary>A peer's status with what the lane carried for it.</summary>
    internal PeerStatus AddTo(PeerStatus peer) => _maps.AddTo(peer);

    /// <inheritdoc cref="LaneMaps.EgressPackets"/>
    internal long EgressPackets(IPAddress publicIP) => _maps.EgressPackets(publicIP);

    public void Dispose()
    {
        Close();
        _maps.Dispose();
    }

    private static NativeFd AttachXdp(LaneFacts facts)
    {
        using NativeFd program = Bpf.LoadProgram("ff_xdp", XdpProgram.Write(facts), Libc.BPF_PROG_TYPE_XDP);
        return Bpf.Attach(program, facts.Road.UnderlayIndex, Libc.BPF_XDP);
    }

    private LaneFacts Facts(ExpressRoad road) => new()
    {
        Road = road,
        IsVxlan = _options.Encapsulation == EncapsulationKind.Vxlan,
        LocalAddress = (uint)Prefix.ToNumber(_options.Local),
        Port = _options.Port,
        CheckSourcePort = _options.CheckSourcePort,
        SpreadsSourcePorts = _options.SourcePorts > 1,
        Vni = _options.Vni,
        Mac = _options.Mac.InMemory,
        // Nobody on the wire can set it, so it is no secret: it only must not be what another program put there.
        Mark = SegmentNote.NewKey(),
        Subnet = _subnet,
        Maps = _maps,
    };

    private static bool IsIpv4(IPNetwork network) => network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
}
