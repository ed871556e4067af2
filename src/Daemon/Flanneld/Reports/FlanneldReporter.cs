using System.Net;
using FlannelFast.Control.Backends;
using FlannelFast.Control.Backends.Engine;
using FlannelFast.Control.Backends.Reconciliation;
using FlannelFast.Control.ControlSocket;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Subnets;
using FlannelFast.Daemon.Flanneld.Hosting;

namespace FlannelFast.Daemon.Flanneld.Reports;

/// <summary>Turns the state of a flanneld into the report that leaves the process.</summary>
internal static class FlanneldReporter
{
    /// <summary>Makes a report that describes at most <paramref name="limit"/> leases, and peers of each tunnel, and counts all.</summary>
    internal static FlanneldReport Report(DaemonState state, int? limit = null)
    {
        Lease[] leases = [.. state.Leases.Current];
        Array.Sort(leases, (one, other) => string.CompareOrdinal(SortKey(one.Subnet), SortKey(other.Subnet)));
        return new()
        {
            Version = BuildInfo.Version,
            Pid = Environment.ProcessId,
            UptimeSeconds = Round(state.Uptime),
            Phase = state.Phase,
            Ready = state.IsReady,
            Store = state.Store is { } store ? Store(store) : null,
            Networks = state.Network is { } network ? [.. new[] { network.Ipv4, network.Ipv6 }.Where(f => f is not null).Select(f => $"{f!.Network}")] : null,
            Underlay = state.External is { } external ? Underlay(external) : null,
            Lease = state.Lease is { } own ? OwnLease(own.Status) : null,
            Backend = state.Backend is { } backend ? Backend(state, backend) : null,
            Firewall = state.Firewall is { } firewall ? Firewall(firewall.Status) : null,
            SubnetFile = state.SubnetFile is { } file ? new(file.Path, file.IsWritten, file.Failure) : null,
            LeaseCount = leases.Length,
            Leases = Leases(state, leases.AsSpan(0, Math.Min(leases.Length, limit ?? int.MaxValue))),
            Tunnels = Tunnels(state.Backend, limit, state.Uptime),
        };
    }

    private static StoreReport Store(RegistrySubnetStore store)
    {
        StoreStatistics s = store.Statistics;
        return new(
            store.Description, s.IsReachable, s.SinceLastList is { } age ? Round(age) : null, s.LastFailure, s.Lists, s.Changes, s.Failures,
            s.HistoryLost, s.BadKeys, s.BadValues, s.BadLeases, s.Contested);
    }

    private static UnderlayReport Underlay(ExternalInterface external) => new(
        external.Link.Name, external.Link.Index, external.Link.Mtu, Texts(external.Address, external.AddressV6), Texts(external.PublicIP, external.PublicIPv6));

    private static OwnLeaseReport OwnLease(LeaseKeeperStatus status) => new(
        [.. Subnets(status.Own.Subnet).Select(subnet => $"{subnet}")], status.IsHeld, status.ExpiresIn is { } left ? Round(left) : null,
        status.NextAttemptIn is { } next ? Round(next) : null, Round(status.SinceConfirmed), status.FailedAttempts, status.LastFailure, status.Renewals, status.Reacquisitions);

    private static BackendReport Backend(DaemonState state, IBackend backend)
    {
        ReconcilerStatus? status = state.Reconciler?.ReadStatus();
        return new(state.Network!.Backend.Type, state.DataPath, backend.Mtu, status?.Applies ?? 0, status?.SinceLastApply is { } age ? Round(age) : null, status?.Changes ?? 0, status?.FailedApplies ?? 0, status?.Failures ?? []);
    }

    private static FirewallReport Firewall(FirewallStatus status) => new(
        status.Mode, status.IsInPlace, status.Repairs, status.SinceRepair is { } age ? Round(age) : null, status.LastRepair, status.LastError);

    private static LeaseReport[] Leases(DaemonState state, ReadOnlySpan<Lease> leases)
    {
        var ways = new Dictionary<IPNetwork, string>();
        // Before the reconciler runs the backend belongs to whoever starts it.
        if (state.Reconciler is not null) foreach ((IPNetwork subnet, string via) in state.Backend!.Routes) ways[subnet] = via;
        var reports = new LeaseReport[leases.Length];
        for (int i = 0; i < leases.Length; i++)
        {
            Lease lease = leases[i];
            string[] via = [.. Subnets(lease.Subnet).Where(ways.ContainsKey).Select(subnet => ways[subnet])];
            reports[i] = new($"{lease.Subnet}", string.Join(',', Texts(lease.Attributes.PublicIP, lease.Attributes.PublicIPv6)), lease.Attributes.BackendType,
                ExpiresIn(lease, state.Time), via.Length == 0 ? null : string.Join(", ", via));
        }
        return reports;
    }

    private static StatusReport[] Tunnels(IBackend? backend, int? limit, TimeSpan uptime) => backend is IEngineBackend engine
        ? [.. engine.Tunnels.Select(tunnel => new StatusReporter(tunnel.Config, BuildInfo.Version).Report(tunnel.ReadStatus(), limit) with { UptimeSeconds = Round(uptime) })]
        : [];

    private static IEnumerable<IPNetwork> Subnets(LeasedSubnet subnet)
    {
        if (subnet.Ipv4 is { } ipv4) yield return ipv4;
        if (subnet.Ipv6 is { } ipv6) yield return ipv6;
    }

    private static double? ExpiresIn(Lease lease, TimeProvider time) =>
        lease.ExpiresAt is { } end ? Round(time.GetElapsedTime(time.GetTimestamp(), end)) : null;

    private static string[] Texts(params IPAddress?[] addresses) => [.. addresses.Where(address => address is not null).Select(address => $"{address}")];

    private static string SortKey(LeasedSubnet subnet) => Convert.ToHexString((subnet.Ipv4 ?? subnet.Ipv6)!.Value.BaseAddress.GetAddressBytes());

    private static double Round(TimeSpan time) => Math.Round(time.TotalSeconds, 3);
}
