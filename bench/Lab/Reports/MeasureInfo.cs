namespace FlannelFast.Lab.Reports;

/// <summary>A quantity that measurements yield.</summary>
/// <param name="Name">Its key in files.</param>
/// <param name="Title">For people.</param>
/// <param name="Column">Head of a table's column.</param>
/// <param name="Unit">Unit of the value.</param>
/// <param name="IsHigherBetter">Which direction is an improvement.</param>
/// <param name="IsHeadline">True if it decides when a workload has been measured often enough and is drawn as bars.</param>
/// <param name="Digits">Decimals for people.</param>
internal sealed record MeasureInfo(string Name, string Title, string Column, string Unit, bool IsHigherBetter, bool IsHeadline, int Digits)
{
    internal const string Throughput = "gbps", DeliveredRate = "delivered_kpps", LosslessRate = "lossless_kpps", ConnectRate = "connections_per_second";
    internal const string P50 = "rtt_p50_us", P90 = "rtt_p90_us", P99 = "rtt_p99_us", P999 = "rtt_p999_us", LoadThroughput = "load_gbps";
    internal const string ProbeLoss = "rtt_loss_percent", FailedConnections = "failed_connections_percent", Duplicated = "duplicated_per_million";
    internal const string PeersTcp = "peers_tcp_ratio", PeersUdp = "peers_udp_ratio", QuietDelivered = "quiet_delivered_percent", FloodRate = "flood_kpps";
    internal const string Drift = "drift_percent", SlowestInterval = "slowest_interval_gbps", MemoryGrowth = "daemon_memory_growth_mb";
    internal const string MachineCpu = "machine_cpu_percent", DaemonCpu = "daemon_cpu_percent", MachineSwitches = "machine_switches_per_s", DaemonSwitches = "daemon_switches_per_s";
    internal const string Drops = "drops";
    internal const string Retransmits = "retransmits_per_gb", Reordered = "reordered_per_million", Loss = "loss_percent";
    internal const string MachineCpuPerGb = "machine_cpu_s_per_gb", DaemonCpuPerGb = "daemon_cpu_s_per_gb";
    internal const string MachineCpuPerMpackets = "machine_cpu_s_per_mpackets", DaemonCpuPerMpackets = "daemon_cpu_s_per_mpackets";

    /// <summary>Whether a change between two runs counts: what users feel, and what it costs them.</summary>
    internal bool IsCompared => IsHeadline || Name is MachineCpuPerGb or MachineCpuPerMpackets;

    /// <summary>Whether it says what the result cost.</summary>
    internal bool IsCost => Name is MachineCpuPerGb or DaemonCpuPerGb or MachineCpuPerMpackets or DaemonCpuPerMpackets
        or MachineCpu or DaemonCpu or MachineSwitches or DaemonSwitches or Drops;

    /// <summary>Whether it counts what should not be: shown only where it happened.</summary>
    internal bool IsFault => Name is Loss or Reordered or Duplicated or ProbeLoss or FailedConnections or Retransmits or Drops;

    /// <summary>All of them, in the order of reports.</summary>
    internal static IReadOnlyList<MeasureInfo> All { get; } =
    [
        new(Throughput, "throughput", "Gb/s", "Gb/s", true, true, 2),
        new(DeliveredRate, "delivered", "kpps", "kpps", true, true, 1),
        new(LosslessRate, "rate with at most 0.1 % loss", "kpps", "kpps", true, true, 1),
        new(ConnectRate, "connections", "conn/s", "1/s", true, true, 0),
        new(PeersTcp, "TCP throughput, most peers / fewest", "TCP most/fewest", "×", true, true, 3),
        new(PeersUdp, "UDP delivered, most peers / fewest", "UDP most/fewest", "×", true, true, 3),
        new(QuietDelivered, "what arrives of the quiet node's datagrams", "quiet %", "%", true, true, 2),
        new(FloodRate, "delivered of the flood", "flood kpps", "kpps", true, false, 1),
        new(SlowestInterval, "slowest interval", "slowest Gb/s", "Gb/s", true, true, 2),
        new(Drift, "drift over the run", "drift %", "%", true, false, 2),
        new(MemoryGrowth, "growth of the daemons' memory", "memory +MB", "MB", false, false, 1),
        new(P50, "round trip p50", "p50 µs", "µs", false, true, 1),
        new(P90, "round trip p90", "p90 µs", "µs", false, false, 1),
        new(P99, "round trip p99", "p99 µs", "µs", false, true, 1),
        new(P999, "round trip p99.9", "p99.9 µs", "µs", false, false, 1),
        new(LoadThroughput, "throughput of the load", "load Gb/s", "Gb/s", true, false, 2),
        new(Loss, "loss", "loss %", "%", false, false, 3),
        new(Reordered, "reordered", "reordered ppm", "per million", false, false, 1),
        new(Duplicated, "duplicated", "duplicated ppm", "per million", false, false, 1),
        new(ProbeLoss, "round trips lost", "rtt lost %", "%", false, false, 3),
        new(FailedConnections, "connections failed", "failed %", "%", false, false, 3),
        new(Retransmits, "TCP retransmits", "retransmits/GB", "per GB", false, false, 1),
        new(MachineCpuPerGb, "CPU, whole machine", "CPU s/GB", "s/GB", false, false, 3),
        new(DaemonCpuPerGb, "CPU, daemons", "daemon s/GB", "s/GB", false, false, 3),
        new(MachineCpuPerMpackets, "CPU, whole machine", "CPU s/Mpkt", "s/Mpackets", false, false, 3),
        new(DaemonCpuPerMpackets, "CPU, daemons", "daemon s/Mpkt", "s/Mpackets", false, false, 3),
        new(MachineCpu, "CPU, whole machine, of one core", "CPU %", "%", false, false, 0),
        new(DaemonCpu, "CPU, daemons, of one core", "daemon %", "%", false, false, 0),
        new(MachineSwitches, "context switches, whole machine", "ctxsw/s", "1/s", false, false, 0),
        new(DaemonSwitches, "context switches, daemons", "daemon ctxsw/s", "1/s", false, false, 0),
        new(Drops, "dropped, all reasons", "drops", "packets", false, false, 0),
    ];

    /// <summary>Finds one; a file of a later version may name others, which are left out.</summary>
    internal static MeasureInfo? Find(string name) => All.FirstOrDefault(m => m.Name == name);
}
