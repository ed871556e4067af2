using System.Net;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// What a set of leases lays claim to: subnets and addresses of hosts; and which of them a further lease would contradict. Cost does not grow with the
/// number of leases as long as their subnets have one length.
/// </summary>
internal sealed class ClaimIndex
{
    private readonly Dictionary<Prefix, Lease> _subnets = [];
    private readonly Dictionary<IPAddress, Lease> _addresses = [];
    // How many subnets there are of each length; IPv6 lengths stand behind the 33 of IPv4.
    private readonly int[] _lengths = new int[33 + 129];

    internal void Add(Lease lease)
    {
        foreach (Prefix subnet in Subnets(lease))
        {
            _subnets.Add(subnet, lease);
            _lengths[Slot(subnet.IsIpv6, subnet.Length)]++;
        }
        foreach (IPAddress address in Addresses(lease.Attributes)) _addresses.Add(address, lease);
    }

    internal void Remove(Lease lease)
    {
        foreach (Prefix subnet in Subnets(lease))
        {
            _subnets.Remove(subnet);
            _lengths[Slot(subnet.IsIpv6, subnet.Length)]--;
        }
        foreach (IPAddress address in Addresses(lease.Attributes)) _addresses.Remove(address);
    }

    internal void Clear()
    {
        _subnets.Clear();
        _addresses.Clear();
        Array.Clear(_lengths);
    }

    /// <summary>How a lease contradicts one of the set, as the end of a sentence about its key; null if it does not.</summary>
    internal string? FindConflict(Lease lease)
    {
        foreach (Prefix subnet in Subnets(lease))
            if (FindOverlap(subnet) is { } other) return $"overlaps {other.Subnet} of {Host(other.Attributes)}, which was there first";
        foreach (IPAddress address in Addresses(lease.Attributes))
            if (_addresses.TryGetValue(address, out Lease? other)) return $"has the address {address} of {other.Subnet}, which was there first";
        return null;
    }

    /// <summary>How a lease of another key contradicts what this host is known by; null if it does not.</summary>
    internal static string? FindConflict(Lease lease, LeaseAttributes own)
    {
        foreach (IPAddress address in Addresses(lease.Attributes))
            if (address.Equals(own.PublicIP) || address.Equals(own.PublicIPv6)) return $"has the address {address} of this host";
        foreach ((bool IsIpv6, MacAddress Mac) mac in Macs(lease.Attributes))
            if (LeaseRules.TryGetVtepMac(own, mac.IsIpv6, out MacAddress ours) && ours == mac.Mac) return $"has the VtepMAC {mac.Mac} of this host";
        return null;
    }

    /// <summary>True if two leases lay claim to the same.</summary>
    internal static bool IsSameClaim(Lease a, Lease b) =>
        a.CreateRevision == b.CreateRevision && Addresses(a.Attributes).SequenceEqual(Addresses(b.Attributes)) && Macs(a.Attributes).SequenceEqual(Macs(b.Attributes));

    /// <summary>The VtepMACs of a vxlan lease, by the device they are of.</summary>
    internal static IEnumerable<(bool IsIpv6, MacAddress Mac)> Macs(LeaseAttributes attributes)
    {
        if (LeaseRules.TryGetVtepMac(attributes, false, out MacAddress mac)) yield return (false, mac);
        if (LeaseRules.TryGetVtepMac(attributes, true, out MacAddress v6Mac)) yield return (true, v6Mac);
    }

    private static IEnumerable<Prefix> Subnets(Lease lease)
    {
        if (lease.Subnet.Ipv4 is { } ipv4) yield return Prefix.From(ipv4);
        if (lease.Subnet.Ipv6 is { } ipv6) yield return Prefix.From(ipv6);
    }

    private Lease? FindOverlap(Prefix subnet)
    {
        bool longerExist = false;
        for (int length = 1; length <= subnet.Bits; length++)
        {
            if (_lengths[Slot(subnet.IsIpv6, length)] == 0) continue;
            if (length > subnet.Length)
            {
                longerExist = true;
                break;
            }
            var around = new Prefix(subnet.IsIpv6, 0, length);
            if (_subnets.TryGetValue(around with { First = subnet.First & around.Mask }, out Lease? lease)) return lease;
        }
        if (!longerExist) return null;
        // Subnets of several lengths are a network whose SubnetLen was changed, or mischief: rare enough to look at each.
        foreach ((Prefix other, Lease lease) in _subnets)
            if (other.Overlaps(subnet)) return lease;
        return null;
    }

    private static IEnumerable<IPAddress> Addresses(LeaseAttributes attributes)
    {
        if (attributes.PublicIP is { } ipv4) yield return ipv4;
        if (attributes.PublicIPv6 is { } ipv6) yield return ipv6;
    }

    private static string Host(LeaseAttributes attributes) => (attributes.PublicIP ?? attributes.PublicIPv6)?.ToString() ?? "an unnamed host";

    private static int Slot(bool isIpv6, int length) => isIpv6 ? 33 + length : length;
}
