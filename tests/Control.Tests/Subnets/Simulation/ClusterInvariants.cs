using System.Net;
using FlannelFast.Control.Subnets;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Tests.Subnets.Simulation;

/// <summary>What must hold in a cluster whatever goes wrong. Judged by the true contents of the store, with eyes of its own.</summary>
internal sealed class ClusterInvariants(ClusterSimulation cluster)
{
    /// <summary>
    /// How long a host that nothing hinders may believe what the store does not say: a full read (20 s), three of them after a restore, slow
    /// calls, and the keeper's look.
    /// </summary>
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(60);

    /// <summary>How long a hostile key, once gone, may still explain that a peer is not used.</summary>
    private static readonly TimeSpan s_aftermath = TimeSpan.FromSeconds(40);

    /// <summary>Each write is to a key that is nobody's, or the host's own.</summary>
    public void CheckWrite(string by, string key, byte[]? before, byte[]? after)
    {
        SimulatedHost? host = cluster.Hosts.Find(host => host.Name == by);
        cluster.Trace($"{by} writes {key} = {(after is null ? "nothing" : System.Text.Encoding.UTF8.GetString(after))}");
        if (host is null || before is null) return;
        // Garbage in the key that a host made is for that host to put right.
        if (AddressOf(before) is null && host.Keeper?.Own is { } own && SubnetKey.Format(own.Subnet) == key && cluster.Store.Read(key)?.CreateRevision == own.CreateRevision) return;
        if (AddressOf(before) is not { } owner || !host.Addresses.Contains(owner))
            cluster.Violate($"{by} wrote over {key}, which said {System.Text.Encoding.UTF8.GetString(before)}");
    }

    /// <summary>No peer leaves a table while its claim is in the store and undisputed.</summary>
    public void CheckRemovals(SimulatedHost host, IReadOnlyCollection<Lease> before)
    {
        foreach (Lease lease in before)
        {
            if (host.Table.Find(lease.Subnet) is not null) continue;
            cluster.Trace($"{host.Name} removes {lease.Subnet}");
            // What was hostile while it was cut off a host sees pass by when it is back.
            bool isLate = cluster.LastHostility >= host.CutSince && IsSince(host.CleanSince, s_aftermath);
            if (IsSince(cluster.LastRestore, s_aftermath) || IsSince(cluster.LastHostility, s_aftermath) || isLate) continue;
            RegistryEntry? entry = cluster.Store.Read(SubnetKey.Format(lease.Subnet));
            // What names this host itself is no peer.
            if (entry?.CreateRevision == lease.CreateRevision && AddressOf(entry.Value.ToArray()) is { } owner && !host.Addresses.Contains(owner) && !HasMoved(lease) && !IsDisputed(lease))
                cluster.Violate($"{host.Name} removed {lease.Subnet}, which is in the store");
        }
    }

    /// <summary>Nobody who could know better goes on believing in a subnet that is not his.</summary>
    public void CheckBeliefs()
    {
        foreach (SimulatedHost host in cluster.Hosts)
        {
            if (host.Believes is not { } subnet || !IsSettled(host)) continue;
            RegistryEntry? entry = cluster.Store.Read(SubnetKey.Format(subnet));
            if (entry is null || AddressOf(entry.Value.ToArray()) is not { } owner || !host.Addresses.Contains(owner))
                cluster.Violate($"{host.Name} believes in {subnet}, and the store says {(entry is null ? "nothing" : System.Text.Encoding.UTF8.GetString(entry.Value.Span))}");
            foreach (SimulatedHost other in cluster.Hosts)
                if (other != host && other.Believes is { } another && IsSettled(other) && Overlap(subnet, another))
                    cluster.Violate($"{host.Name} believes in {subnet} and {other.Name} in {another}");
        }
    }

    /// <summary>After the last fault: everybody has a subnet, and everybody knows all of them and nothing else.</summary>
    public void CheckConvergence()
    {
        var stored = new SortedSet<string>(StringComparer.Ordinal);
        foreach (RegistryEntry entry in cluster.Store.List().Entries) stored.Add($"{entry.Key}@{AddressOf(entry.Value.ToArray())}");
        var held = new SortedSet<string>(StringComparer.Ordinal);
        foreach (SimulatedHost host in cluster.Hosts)
        {
            if (host.Keeper?.Status is not { IsHeld: true, FailedAttempts: 0 } status)
            {
                cluster.Violate($"{host.Name} holds nothing although nothing hinders it");
                continue;
            }
            held.Add($"{SubnetKey.Format(status.Own.Subnet)}@{host.Addresses.Last()}");
            var known = new SortedSet<string>(StringComparer.Ordinal);
            foreach (Lease lease in host.Table.Current) known.Add($"{SubnetKey.Format(lease.Subnet)}@{lease.Attributes.PublicIP}");
            if (!known.SetEquals(stored)) cluster.Violate($"{host.Name} knows {string.Join(' ', known)} of {string.Join(' ', stored)}");
        }
        if (!held.SetEquals(stored)) cluster.Violate($"held are {string.Join(' ', held)}, stored {string.Join(' ', stored)}");
    }

    /// <summary>True if an older claim overlaps this one: hosts that race for dual-stack subnets see each other's halves before they withdraw.</summary>
    private bool IsDisputed(Lease lease)
    {
        foreach (RegistryEntry entry in cluster.Store.List().Entries)
            if (entry.CreateRevision < lease.CreateRevision && SubnetKey.TryParse(entry.Key, out LeasedSubnet? subnet) && Overlap(subnet, lease.Subnet)) return true;
        return false;
    }

    /// <summary>True if a later lease has the MAC of this one: the host came back under another address.</summary>
    private bool HasMoved(Lease lease)
    {
        foreach (RegistryEntry entry in cluster.Store.List().Entries)
            if (entry.CreateRevision > lease.CreateRevision && LeaseValue.TryParse(entry.Value.Span, out LeaseAttributes? attributes, out _)
                && LeaseRules.TryGetVtepMac(attributes, false, out MacAddress mac) && LeaseRules.TryGetVtepMac(lease.Attributes, false, out MacAddress old) && mac == old)
                return true;
        return false;
    }

    private bool IsSettled(SimulatedHost host) => !host.Registry.IsAway && !IsSince(host.CleanSince, s_window) && !IsSince(cluster.LastDisturbance, s_window);

    private bool IsSince(long moment, TimeSpan span) => cluster.Time.GetElapsedTime(moment) <= span;

    private static bool Overlap(LeasedSubnet a, LeasedSubnet b) => Overlap(a.Ipv4, b.Ipv4) || Overlap(a.Ipv6, b.Ipv6);

    private static bool Overlap(IPNetwork? a, IPNetwork? b) => a is { } left && b is { } right && Prefix.From(left).Overlaps(Prefix.From(right));

    private static string? AddressOf(byte[] value) => LeaseValue.TryParse(value, out LeaseAttributes? attributes, out _) ? attributes.PublicIP?.ToString() : null;
}
