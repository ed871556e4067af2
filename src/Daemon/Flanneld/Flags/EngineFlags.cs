using System.Net;
using FlannelFast.Control.Tunnels;
using FlannelFast.Daemon.Flanneld.GoFlags;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Express;

namespace FlannelFast.Daemon.Flanneld.Flags;

/// <summary>The switches of the packet engine, as <c>flannelfast tunnel</c> has them.</summary>
internal sealed class EngineFlags
{
    // Only to show and take over the engine's own defaults.
    private static readonly EngineOptions s_engine = new() { Encapsulation = EncapsulationKind.Udp, Local = IPAddress.Any, Port = 1 };

    private readonly ChoiceFlag<SourceCheck> _sourceCheck;
    private readonly ChoiceFlag<ExpressLaneMode> _expressLane;
    private readonly BooleanFlag _noSourcePortCheck, _ignoreReservedBits, _tunOffloads, _udpSegment, _udpGro, _coalesce, _realTime;
    private readonly IntegerFlag _queues, _sourcePorts, _pause, _socketBuffer;

    internal EngineFlags(GoFlagSet set)
    {
        _sourceCheck = set.Add(new ChoiceFlag<SourceCheck>("source-check", [("strict", SourceCheck.Strict), ("peer", SourceCheck.Peer), ("off", SourceCheck.Off)],
            "how far the packet engine checks senders: peer and its subnet, peer only, not at all"));
        _noSourcePortCheck = Switch("no-source-port-check", false, "udp: accept datagrams from any source port of a peer");
        _ignoreReservedBits = Switch("ignore-reserved-bits", s_engine.IgnoreReservedBits, "vxlan by the engine: accept headers with reserved bits set, which Linux refuses");
        _queues = Integer("queues", s_engine.Queues, 1, TunnelDefaults.MaxQueues, "TUN queues, sockets and worker threads of the engine");
        _sourcePorts = Integer("source-ports", s_engine.SourcePorts, 1, EngineOptions.MaxSourcePorts, "vxlan by the engine: UDP source ports per worker that flows are spread over; 1 sends all from the tunnel's port");
        _tunOffloads = Switch("tun-offloads", s_engine.TunOffloads, "exchange super-packets with the TUN device where the kernel can");
        _udpSegment = Switch("udp-segment", s_engine.UdpSegment, "send runs of datagrams at once where the kernel can");
        _udpGro = Switch("udp-gro", s_engine.UdpGro, "have the kernel merge what arrives: runs of datagrams, and TCP in VXLAN");
        _coalesce = Switch("coalesce", s_engine.Coalesce, "merge received segments of a flow; needs -tun-offloads");
        _pause = Integer("pause", s_engine.PauseMicroseconds, 0, TunnelDefaults.MaxPause, "microseconds to pause after a heavy burst so that the next one is larger; 0 never pauses");
        _realTime = Switch("real-time", s_engine.RealTime, "schedule busy workers before programs, as the kernel schedules its own devices; needs CAP_SYS_NICE");
        _expressLane = set.Add(new ChoiceFlag<ExpressLaneMode>("express-lane", [("auto", ExpressLaneMode.Auto), ("on", ExpressLaneMode.On), ("off", ExpressLaneMode.Off)],
            "whether ordinary packets of known peers pass inside the kernel by eBPF: auto leaves TCP to the engine where it would arrive cut and nothing merged it, on takes it too"));
        _socketBuffer = Integer("socket-buffer", s_engine.SocketBuffer, TunnelDefaults.MinSocketBuffer, TunnelDefaults.MaxSocketBuffer, "kernel buffer per socket and direction, in bytes");

        BooleanFlag Switch(string name, bool absent, string usage) => set.Add(new BooleanFlag(name, absent, usage));

        IntegerFlag Integer(string name, int absent, int min, int max, string usage) => set.Add(new IntegerFlag(name, absent, min, max, usage));
    }

    /// <summary>Puts the switches into what a backend has filled in.</summary>
    internal EngineOptions Tune(EngineOptions backend) => backend with
    {
        SourceCheck = _sourceCheck.Value,
        CheckSourcePort = !_noSourcePortCheck.Value,
        IgnoreReservedBits = _ignoreReservedBits.Value,
        Queues = _queues.Value,
        SourcePorts = _sourcePorts.Value,
        TunOffloads = _tunOffloads.Value,
        UdpSegment = _udpSegment.Value,
        UdpGro = _udpGro.Value,
        Coalesce = _coalesce.Value && _tunOffloads.Value,
        PauseMicroseconds = _pause.Value,
        RealTime = _realTime.Value,
        ExpressLane = _expressLane.Value,
        SocketBuffer = _socketBuffer.Value,
    };
}
