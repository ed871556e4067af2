using System.Net;
using FlannelFast.Dataplane.Packets;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Control.Subnets;

/// <summary>A lease among others with which it may be at odds. Belongs to one <see cref="LeaseArbiter"/>.</summary>
/// <param name="Key">Its key: the name by which it is known whatever it says.</param>
/// <param name="IsOwn">It is this host's own.</param>
internal sealed record Contender(string Key, bool IsOwn) : IComparable<Contender>
{
    /// <summary>What it says now; a renewal changes it, a change of its claims makes another contender.</summary>
    internal required Lease Lease { get; set; }

    /// <summary>Nobody with a better right has its subnet.</summary>
    internal bool IsAccepted { get; set; }

    /// <summary>Accepted, and its VtepMAC is no other host's who came later: what the watch shows.</summary>
    internal bool IsUsed { get; set; }

    internal IEnumerable<Prefix> Subnets
    {
        get
        {
            if (Lease.Subnet.Ipv4 is { } ipv4) yield return Prefix.From(ipv4);
            if (Lease.Subnet.Ipv6 is { } ipv6) yield return Prefix.From(ipv6);
        }
    }

    internal IEnumerable<IPAddress> Addresses => AddressesOf(Lease.Attributes);

    internal IEnumerable<(bool IsIpv6, MacAddress Mac)> Macs => MacsOf(Lease.Attributes);

    /// <summary>The better right comes first: this host's own, then who was there before.</summary>
    public int CompareTo(Contender? other)
    {
        if (other is null) return 1;
        int byOwner = other.IsOwn.CompareTo(IsOwn);
        if (byOwner != 0) return byOwner;
        int byRevision = Lease.CreateRevision.CompareTo(other.Lease.CreateRevision);
        return byRevision != 0 ? byRevision : string.CompareOrdinal(Key, other.Key);
    }

    // One contender is one object, whatever it says.
    public bool Equals(Contender? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Key);

    internal static IEnumerable<IPAddress> AddressesOf(LeaseAttributes attributes)
    {
        if (attributes.PublicIP is { } ipv4) yield return ipv4;
        if (attributes.PublicIPv6 is { } ipv6) yield return ipv6;
    }

    /// <summary>The VtepMACs of a vxlan lease, by the device they are of.</summary>
    internal static IEnumerable<(bool IsIpv6, MacAddress Mac)> MacsOf(LeaseAttributes attributes)
    {
        if (LeaseRules.TryGetVtepMac(attributes, false, out MacAddress mac)) yield return (false, mac);
        if (LeaseRules.TryGetVtepMac(attributes, true, out MacAddress v6Mac)) yield return (true, v6Mac);
    }

    /// <summary>Where packets of one family go.</summary>
    internal IPAddress? Address(bool isIpv6) => isIpv6 ? Lease.Attributes.PublicIPv6 : Lease.Attributes.PublicIP;

    /// <summary>True if the other is this one, or is of the same host as far as one family is concerned.</summary>
    internal bool IsSameHost(Contender other, bool isIpv6) => this == other || (Address(isIpv6) is { } address && address.Equals(other.Address(isIpv6)));

    /// <summary>True if another lease lays claim to the same with the same right.</summary>
    internal bool IsSameClaim(Lease other) =>
        Lease.CreateRevision == other.CreateRevision && AddressesOf(other.Attributes).SequenceEqual(Addresses) && MacsOf(other.Attributes).SequenceEqual(Macs);
}
