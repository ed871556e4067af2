using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Backends;

/// <summary>
/// Chooses among all leases those a backend can act on, for one address family. Whatever is in the store, one host's claim never harms another's:
/// where two contradict each other the older wins (lower create revision), as with a lock.
/// </summary>
/// <param name="backendType">Leases of other types are ignored without a word, as stock ignores them: a cluster may be between two backends. Null takes all types, as stock's udp does.</param>
/// <param name="family">IPv4 or IPv6.</param>
/// <param name="network">The pod network of that family.</param>
/// <param name="own">This host's subnet.</param>
/// <param name="ownAddresses">This host's underlay addresses; null entries are ignored.</param>
internal sealed class PeerLeaseSelector(string? backendType, AddressFamily family, IPNetwork network, IPNetwork own, params IReadOnlyList<IPAddress?> ownAddresses)
{
    /// <summary>Of which family the hosts' addresses must be; null for that of the subnets.</summary>
    internal AddressFamily? Underlay { get; init; }

    private AddressFamily HostFamily => Underlay ?? family;

    /// <summary>The usable leases of other hosts, oldest first.</summary>
    /// <param name="leases">All of the cluster, our own too.</param>
    /// <param name="failures">Gets one sentence for each lease that is refused.</param>
    internal List<PeerLease> Select(IReadOnlyCollection<Lease> leases, List<string> failures)
    {
        List<PeerLease> candidates = new(leases.Count);
        foreach (Lease lease in leases)
        {
            bool ipv4 = family == AddressFamily.InterNetwork;
            if (backendType is not null && !lease.Attributes.BackendType.Equals(backendType, StringComparison.Ordinal)) continue;
            if ((ipv4 ? lease.Subnet.Ipv4 : lease.Subnet.Ipv6) is not { } subnet || subnet == own) continue;
            IPAddress? publicIP = HostFamily == AddressFamily.InterNetwork ? lease.Attributes.PublicIP : lease.Attributes.PublicIPv6;
            if (Refusal(subnet, publicIP) is { } refusal) failures.Add($"lease {subnet}: {refusal}");
            else candidates.Add(new(lease, subnet, publicIP!));
        }
        candidates.Sort(static (one, other) =>
        {
            int order = one.Lease.CreateRevision.CompareTo(other.Lease.CreateRevision);
            return order != 0 ? order : Compare(one.Subnet, other.Subnet);
        });
        return WithoutOverlaps(candidates, failures);
    }

    private string? Refusal(IPNetwork subnet, IPAddress? publicIP)
    {
        if (!AddressRules.IsInside(subnet, network)) return $"it is outside the network {network}";
        if (AddressRules.Overlap(subnet, own)) return $"it overlaps this host's {own}";
        if (publicIP is null) return $"its host publishes no {(HostFamily == AddressFamily.InterNetwork ? "PublicIP" : "PublicIPv6")}";
        if (publicIP.AddressFamily != HostFamily || !AddressRules.IsUnicast(publicIP) || IPAddress.IsLoopback(publicIP))
            return $"{publicIP} cannot be the address of its host";
        if (subnet.Contains(publicIP)) return $"the address of its host, {publicIP}, lies in it: packets to the host would go to the host for ever";
        foreach (IPAddress? address in ownAddresses)
        {
            if (publicIP.Equals(address)) return $"it claims this host's own address {publicIP}";
        }
        return null;
    }

    /// <summary>CIDR blocks overlap only where one contains the other, so truncating to the lengths that occur finds every overlap.</summary>
    private static List<PeerLease> WithoutOverlaps(List<PeerLease> candidates, List<string> failures)
    {
        int[] lengths = [.. candidates.Select(candidate => candidate.Subnet.PrefixLength).Distinct()];
        Dictionary<IPNetwork, IPNetwork> taken = new(candidates.Count), containing = [];
        List<PeerLease> chosen = new(candidates.Count);
        foreach (PeerLease candidate in candidates)
        {
            IPNetwork subnet = candidate.Subnet;
            bool overlaps = containing.TryGetValue(subnet, out IPNetwork rival);
            foreach (int length in lengths)
            {
                if (overlaps) break;
                if (length <= subnet.PrefixLength) overlaps = taken.TryGetValue(Truncate(subnet, length), out rival);
            }
            if (overlaps)
            {
                failures.Add($"lease {subnet}: it overlaps the older lease {rival}");
                continue;
            }
            taken.Add(subnet, subnet);
            foreach (int length in lengths)
            {
                if (length < subnet.PrefixLength) containing.TryAdd(Truncate(subnet, length), subnet);
            }
            chosen.Add(candidate);
        }
        return chosen;
    }

    private static IPNetwork Truncate(IPNetwork subnet, int length) =>
        length == subnet.PrefixLength ? subnet : IPAddressFamily.Network(subnet.BaseAddress, length);

    private static int Compare(IPNetwork one, IPNetwork other)
    {
        Span<byte> a = stackalloc byte[16], b = stackalloc byte[16];
        one.BaseAddress.TryWriteBytes(a, out int length);
        other.BaseAddress.TryWriteBytes(b, out _);
        int order = a[..length].SequenceCompareTo(b[..length]);
        return order != 0 ? order : one.PrefixLength.CompareTo(other.PrefixLength);
    }
}
