namespace FlannelFast.Control.Subnets;

/// <summary>What this host is known by among the leases.</summary>
/// <param name="Key">The key of its lease.</param>
/// <param name="Attributes">What it published last.</param>
internal sealed record OwnClaim(string Key, LeaseAttributes Attributes)
{
    /// <summary>True if a lease is this very claim: our key, and it names us.</summary>
    internal bool IsSame(string key, LeaseAttributes attributes) => key == Key && IsSameHost(Attributes, attributes);

    /// <summary>True if two leases name one host: by PublicIP, or by PublicIPv6 where there is no other.</summary>
    internal static bool IsSameHost(LeaseAttributes a, LeaseAttributes b) =>
        a.PublicIP is not null || b.PublicIP is not null ? Equals(a.PublicIP, b.PublicIP) : a.PublicIPv6 is not null && a.PublicIPv6.Equals(b.PublicIPv6);
}
