namespace FlannelFast.Control.ControlSocket;

/// <summary>What <c>status --json</c> prints. Names are frozen by a golden file; a change of meaning raises the schema number.</summary>
internal sealed record StatusReport
{
    public int Schema { get; init; } = ControlProtocol.Schema;

    public required string Version { get; init; }

    public required int Pid { get; init; }

    public required double UptimeSeconds { get; init; }

    public required DeviceReport Device { get; init; }

    public required TunnelReport Tunnel { get; init; }

    public required IReadOnlyList<CapabilityReport> Capabilities { get; init; }

    public required ExpressLaneReport ExpressLane { get; init; }

    /// <summary>SO_RCVBUF per socket as read back, bytes.</summary>
    public required int ReceiveBuffer { get; init; }

    /// <summary>SO_SNDBUF per socket as read back, bytes.</summary>
    public required int SendBuffer { get; init; }

    /// <summary>Managed bytes allocated inside the workers' loops.</summary>
    public required long AllocatedBytes { get; init; }

    /// <summary>Garbage collections of the process.</summary>
    public required int Collections { get; init; }

    /// <summary>All workers and the express lane together.</summary>
    public required PathReport Egress { get; init; }

    /// <summary>All workers and the express lane together.</summary>
    public required PathReport Ingress { get; init; }

    public required IReadOnlyList<WorkerReport> Workers { get; init; }

    public required int PeerCount { get; init; }

    public required IReadOnlyList<PeerReport> Peers { get; init; }
}

/// <summary>The TUN device.</summary>
internal sealed record DeviceReport(string Name, int Index, int Mtu, IReadOnlyList<string> Addresses);

/// <summary>The configuration that people compare between two hosts.</summary>
internal sealed record TunnelReport(
    string Encapsulation, string Local, int Port, int? Vni, string? VtepMac, IReadOnlyList<string> Networks,
    IReadOnlyList<string> Subnets, string SourceCheck, int Queues);

/// <summary>One optimisation: whether the engine uses it, and if not, why.</summary>
internal sealed record CapabilityReport(string Name, bool InUse, string Detail);

/// <summary>The express lane. Closed, it has a reason and what was counted while it was open; open, all but the reason.</summary>
/// <param name="Open">Packets pass inside the kernel.</param>
/// <param name="Reason">Why it is closed, in one clause.</param>
/// <param name="Interface">The underlay interface it runs over.</param>
/// <param name="Tcp">TCP takes it, too.</param>
/// <param name="Xdp">A program in the interface's driver takes arriving TCP out of its outer headers, so that it is merged.</param>
/// <param name="XdpRefusal">Why there is no such program where one was wanted.</param>
/// <param name="Gro">The tunnel's port is lent to the kernel's VXLAN driver, so that arriving TCP is merged.</param>
/// <param name="GroRefusal">Why it is not where that would help.</param>
/// <param name="Peers">Peers whose packets it carries.</param>
/// <param name="Egress">From the TUN device to the underlay; part of the tunnel's, no part of the workers' counters.</param>
/// <param name="Ingress">From the underlay to the TUN device; part of the tunnel's, no part of the workers' counters.</param>
internal sealed record ExpressLaneReport(
    bool Open, string? Reason, string? Interface, bool? Tcp, bool? Xdp, string? XdpRefusal, bool? Gro, string? GroRefusal, int? Peers, ExpressPathReport? Egress, ExpressPathReport? Ingress);

/// <summary>One direction of the express lane, inner packets and bytes; what failed was dropped.</summary>
internal sealed record ExpressPathReport(long Forwarded, long ForwardedBytes, long Failed);

/// <summary>One direction. <c>Packets = Forwarded + sum of Drops</c>.</summary>
internal sealed record PathReport(
    long Packets, long Bytes, long Reads, long Forwarded, long ForwardedBytes, long Writes, long Dropped,
    IReadOnlyDictionary<string, long> Drops);

/// <summary>One worker thread.</summary>
internal sealed record WorkerReport(
    int Index, PathReport Egress, PathReport Ingress, long Wakeups, long Pauses, long GsoFallbacks, long IcmpSent,
    long IcmpSuppressed, long Trimmed, long SocketOverflow);

/// <summary>One peer and what was exchanged with it.</summary>
internal sealed record PeerReport(
    string Subnet, string PublicIp, string? VtepMac, long EgressPackets, long EgressBytes, long IngressPackets,
    long IngressBytes, long SendErrors);
