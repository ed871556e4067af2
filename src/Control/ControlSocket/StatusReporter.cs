using System.Diagnostics;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;

namespace FlannelFast.Control.ControlSocket;

/// <summary>Turns a reading of the tunnel into the report that leaves the process.</summary>
/// <param name="config">The running tunnel.</param>
/// <param name="version">Product version.</param>
internal sealed class StatusReporter(TunnelConfig config, string version)
{
    private readonly long _started = Stopwatch.GetTimestamp();

    /// <summary>Makes a report that describes at most <paramref name="peerLimit"/> peers and counts all.</summary>
    internal StatusReport Report(TunnelStatus status, int? peerLimit = null)
    {
        EngineStatus engine = status.Engine;
        return new()
        {
            Version = version,
            Pid = Environment.ProcessId,
            UptimeSeconds = Math.Round(Stopwatch.GetElapsedTime(_started).TotalSeconds, 3),
            Device = new(status.Device.Name, status.Device.Index, status.Device.Mtu, status.Device.Addresses),
            Tunnel = Tunnel(),
            Capabilities = CapabilityReporter.Report(config.Engine, engine.Capabilities),
            ExpressLane = ExpressLane(status.ExpressLane, engine.ExpressLane),
            ReceiveBuffer = engine.Capabilities.ReceiveBuffer,
            SendBuffer = engine.Capabilities.SendBuffer,
            AllocatedBytes = engine.AllocatedBytes,
            Collections = engine.Collections,
            Egress = Path([.. engine.Workers.Select(w => w.Egress), .. Part(engine.ExpressLane?.Egress)]),
            Ingress = Path([.. engine.Workers.Select(w => w.Ingress), .. Part(engine.ExpressLane?.Ingress)]),
            Workers = [.. engine.Workers.Select(Worker)],
            PeerCount = status.Peers.Count,
            Peers = Peers(status, peerLimit),
        };
    }

    /// <summary>Describes the first peers, all without a limit.</summary>
    internal static PeerReport[] Peers(TunnelStatus status, int? limit) =>
        [.. status.Peers.Take(limit ?? int.MaxValue).Select(p => new PeerReport(
            p.Peer.Subnet.ToString(), p.Peer.PublicIP.ToString(), p.Peer.VtepMac.IsZero ? null : p.Peer.VtepMac.ToString(),
            p.EgressPackets, p.EgressBytes, p.IngressPackets, p.IngressBytes, p.SendErrors))];

    private TunnelReport Tunnel()
    {
        EngineOptions options = config.Engine;
        bool vxlan = options.Encapsulation == EncapsulationKind.Vxlan;
        return new(
            vxlan ? "vxlan" : "udp", options.Local.ToString(), options.Port, vxlan ? options.Vni : null,
            vxlan ? options.Mac.ToString() : null, [.. config.Networks.Select(n => n.ToString())],
            [.. config.Subnets.Select(s => s.ToString())], options.SourceCheck.ToString().ToLowerInvariant(), options.Queues);
    }

    private static ExpressLaneReport ExpressLane(ExpressLaneState state, ExpressLaneStatus? lane)
    {
        // The two are read one after the other: a lane that opens or closes in between is called closed.
        if (state.Underlay is null || lane?.Road is not { } road) return new(false, state.Reason ?? "just closed", null, null, null, null, null, null, null, Path(lane?.Egress), Path(lane?.Ingress));
        return new(true, null, state.Underlay, road.Tcp, road.Xdp, state.XdpRefusal, road.Gro, state.GroRefusal, lane.Peers, Path(lane.Egress), Path(lane.Ingress));

        static ExpressPathReport? Path(ExpressPathStatus? path) => path is null ? null : new(path.Forwarded, path.ForwardedBytes, path.Failed);
    }

    /// <summary>The lane's share in what the tunnel carries.</summary>
    private static PathStatus[] Part(ExpressPathStatus? lane)
    {
        if (lane is null) return [];
        var drops = new Dictionary<string, long> { [DropReasons.NameOf(DropReason.LaneFailed)] = lane.Failed };
        return [new(lane.Forwarded + lane.Failed, lane.ForwardedBytes, 0, lane.Forwarded, lane.ForwardedBytes, 0, drops)];
    }

    private static WorkerReport Worker(WorkerStatus w) => new(
        w.Index, Path([w.Egress]), Path([w.Ingress]), w.Wakeups, w.Pauses, w.GsoFallbacks, w.IcmpSent, w.IcmpSuppressed,
        w.Trimmed, w.SocketOverflow);

    private static PathReport Path(IEnumerable<PathStatus> parts)
    {
        long packets = 0, bytes = 0, reads = 0, forwarded = 0, forwardedBytes = 0, writes = 0, dropped = 0;
        var drops = new Dictionary<string, long>(DropReasons.Count);
        foreach (DropReasonInfo reason in DropReasons.All) drops.Add(reason.Name, 0);
        foreach (PathStatus part in parts)
        {
            packets += part.Packets;
            bytes += part.Bytes;
            reads += part.Reads;
            forwarded += part.Forwarded;
            forwardedBytes += part.ForwardedBytes;
            writes += part.Writes;
            foreach ((string name, long count) in part.Drops)
            {
                drops[name] = drops.GetValueOrDefault(name) + count;
                dropped += count;
            }
        }
        return new(packets, bytes, reads, forwarded, forwardedBytes, writes, dropped, drops);
    }
}
