using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Subnets.Reports;

/// <summary>Reads a store for people.</summary>
internal static class LeaseReporter
{
    /// <summary>All leases, each judged by itself as a daemon would judge it.</summary>
    /// <exception cref="StoreUnavailableException">The store could not be asked.</exception>
    internal static async Task<LeaseListReport> ReadAsync(ISubnetRegistry registry, CancellationToken cancel)
    {
        NetworkConfig? network = await TryReadNetworkAsync(registry, cancel).ConfigureAwait(false);
        RegistrySnapshot all = await registry.ListAsync(cancel).ConfigureAwait(false);
        List<(Lease Lease, RegistryEntry Entry)> leases = [];
        List<IgnoredKeyReport> ignored = [];
        foreach (RegistryEntry entry in all.Entries)
        {
            if (TryRead(entry, network, out Lease? lease, out string? fault)) leases.Add((lease, entry));
            else ignored.Add(new(entry.Key, fault));
        }
        leases.Sort((one, other) => Order(one.Lease.Subnet).CompareTo(Order(other.Lease.Subnet)));
        ignored.Sort((one, other) => string.CompareOrdinal(one.Key, other.Key));
        return new() { Store = registry.Description, Revision = all.Revision, Leases = [.. leases.Select(l => Report(l.Lease, l.Entry))], Ignored = ignored };
    }

    private static bool TryRead(RegistryEntry entry, NetworkConfig? network, [NotNullWhen(true)] out Lease? lease, [NotNullWhen(false)] out string? fault)
    {
        (lease, fault) = (null, "names no subnet");
        if (!SubnetKey.TryParse(entry.Key, out LeasedSubnet? subnet)) return false;
        if (!new LeaseReader(TimeProvider.System, TimeSpan.Zero).TryRead(entry, subnet, known: null, out lease, out fault)) return false;
        fault = network is null ? null : LeaseRules.FindFault(lease, network);
        return fault is null;
    }

    /// <summary>Null where there is no config that can be used: the leases are worth seeing all the same.</summary>
    private static async Task<NetworkConfig?> TryReadNetworkAsync(ISubnetRegistry registry, CancellationToken cancel)
    {
        try
        {
            return await registry.ReadConfigAsync(cancel).ConfigureAwait(false) is { } config ? NetworkConfigParser.Parse(config) : null;
        }
        catch (NetworkConfigException)
        {
            return null;
        }
    }

    private static UInt128 Order(LeasedSubnet subnet) => Prefix.ToNumber((subnet.Ipv4 ?? subnet.Ipv6!.Value).BaseAddress);

    private static LeaseReport Report(Lease lease, RegistryEntry entry)
    {
        LeaseAttributes published = lease.Attributes;
        return new(
            lease.Subnet.Ipv4?.ToString(), lease.Subnet.Ipv6?.ToString(), published.PublicIP?.ToString(), published.PublicIPv6?.ToString(),
            published.BackendType.Length > 0 ? published.BackendType : null, Given(published.BackendData), Given(published.BackendV6Data),
            entry.IsTimeToLiveKnown && entry.TimeToLive is null, entry.TimeToLive is { } left ? Math.Round(left.TotalSeconds, 3) : null,
            lease.CreateRevision, lease.ModRevision);
    }

    private static JsonElement? Given(JsonElement data) =>
        data.ValueKind == JsonValueKind.Undefined ? null : data;
}
