namespace FlannelFast.Control.ControlSocket;

/// <summary>What <c>status --json</c> prints for a flanneld. Names are frozen by a golden file; a change of meaning raises the schema number.</summary>
internal sealed record FlanneldReport
{
    public int Schema { get; init; } = ControlProtocol.Schema;

    public required string Version { get; init; }

    public required int Pid { get; init; }

    public required double UptimeSeconds { get; init; }

    /// <summary>"waiting for the network config", "running" …</summary>
    public required string Phase { get; init; }

    /// <summary>What /readyz tells.</summary>
    public required bool Ready { get; init; }

    /// <summary>Null before the network config was found, as are all below before the daemon has come so far.</summary>
    public StoreReport? Store { get; init; }

    /// <summary>The pod networks of all hosts.</summary>
    public IReadOnlyList<string>? Networks { get; init; }

    public UnderlayReport? Underlay { get; init; }

    public OwnLeaseReport? Lease { get; init; }

    public BackendReport? Backend { get; init; }

    public FirewallReport? Firewall { get; init; }

    public SubnetFileReport? SubnetFile { get; init; }

    public int LeaseCount { get; init; }

    /// <summary>The leases of all hosts, our own among them, by subnet.</summary>
    public IReadOnlyList<LeaseReport> Leases { get; init; } = [];

    /// <summary>The packet engine, one entry per tunnel; empty where the kernel carries the packets.</summary>
    public IReadOnlyList<StatusReport> Tunnels { get; init; } = [];
}

/// <summary>The store and how it was followed; see <see cref="Subnets.StoreStatistics"/>.</summary>
internal sealed record StoreReport(
    string Description, bool Reachable, double? SinceLastListSeconds, string? LastFailure, long Lists, long Changes, long Failures, long HistoryLost,
    long BadKeys, long BadValues, long BadLeases, int Contested);

/// <summary>The interface to the other hosts.</summary>
internal sealed record UnderlayReport(string Interface, int Index, int Mtu, IReadOnlyList<string> Addresses, IReadOnlyList<string> PublicAddresses);

/// <summary>This host's lease; see <see cref="Subnets.LeaseKeeperStatus"/>. One subnet per family.</summary>
internal sealed record OwnLeaseReport(
    IReadOnlyList<string> Subnets, bool Held, double? ExpiresInSeconds, double? NextAttemptInSeconds, double SinceConfirmedSeconds, int FailedAttempts,
    string? LastFailure, long Renewals, long Reacquisitions);

/// <summary>What carries packets, and how well the leases could be applied.</summary>
internal sealed record BackendReport(
    string Type, string DataPath, int Mtu, long Applies, double? SinceLastApplySeconds, long Changes, long FailedApplies, IReadOnlyList<string> Failures);

/// <summary>The firewall rules; see <see cref="Firewall.FirewallStatus"/>.</summary>
internal sealed record FirewallReport(string Mode, bool InPlace, int Repairs, double? SinceRepairSeconds, string? LastRepair, string? LastError);

/// <summary>subnet.env.</summary>
internal sealed record SubnetFileReport(string Path, bool Written, string? Failure);

/// <summary>One host's lease and where packets to it go; <see cref="Via"/> is null where none do, as for our own.</summary>
internal sealed record LeaseReport(string Subnet, string PublicIp, string BackendType, double? ExpiresInSeconds, string? Via);
