using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Control.ControlSocket;

/// <summary>Says for each optimisation whether it is in use, and otherwise whether a switch or the kernel is the reason.</summary>
internal static class CapabilityReporter
{
    /// <summary>One row per optimisation, in the order of a packet's way out and in. Names are part of the status schema.</summary>
    internal static IReadOnlyList<CapabilityReport> Report(EngineOptions options, CapabilityStatus found) =>
    [
        Row("tun_vnet_header", found.TunVnetHeader, options.TunOffloads, "--tun-offloads",
            "frames carry a virtio-net header", "the TUN driver refused IFF_VNET_HDR"),
        Row("tun_tso", found.TunTso, options.TunOffloads, "--tun-offloads",
            "TCP super-packets cross the TUN", "the TUN driver refused TUN_F_TSO4 and TUN_F_TSO6"),
        Row("tun_uso", found.TunUso, options.TunOffloads, "--tun-offloads",
            "UDP super-packets cross the TUN", "the TUN driver refused TUN_F_USO4 and TUN_F_USO6, which are new in Linux 6.2"),
        Row("udp_segment", found.UdpSegment, options.UdpSegment, "--udp-segment",
            "runs of datagrams leave in one send", "the kernel refused UDP_SEGMENT, new in Linux 4.18, or the underlay cannot segment"),
        .. SourcePorts(options, found),
        Row("udp_gro", found.UdpGro, options.UdpGro, "--udp-gro",
            "runs of datagrams arrive in one receive", "the kernel refused UDP_GRO, new in Linux 5.0"),
        Row("coalesce", options.Coalesce && found.TunVnetHeader, options.Coalesce, options.TunOffloads ? "--coalesce" : "--tun-offloads",
            "segments of one flow are merged before the TUN", "it needs tun_vnet_header"),
        Row("real_time", found.RealTime, options.RealTime, "--real-time",
            "busy workers run before programs", found.AvoidsRealTime ? "the underlay cuts what workers send, and programs would wait" : "the kernel refused SCHED_RR: CAP_SYS_NICE is missing"),
    ];

    /// <summary>One row with VXLAN, none with a format that has one port: nothing is missing there.</summary>
    private static CapabilityReport[] SourcePorts(EngineOptions options, CapabilityStatus found)
    {
        const string Name = "source_ports";
        if (options.Encapsulation == EncapsulationKind.Udp) return [];
        if (options.SourcePorts == 1) return [new(Name, false, "switched off by --source-ports 1")];
        string use = found.SourcePorts == 1 ? "all flows of a worker leave from one port" : $"flows of a worker leave from {found.SourcePorts} ports";
        bool several = found.SourcePorts > 1;
        return [new(Name, several, found.SourcePortShortage is { } reason ? $"{use} instead of {options.SourcePorts}: {reason}" : use)];
    }

    private static CapabilityReport Row(string name, bool inUse, bool wanted, string flag, string use, string obstacle) =>
        new(name, inUse, inUse ? use : wanted ? obstacle : $"switched off by {flag} off");
}
