using System.Net;
using System.Text.Json;

namespace FlannelFast.Control.Subnets;

/// <summary>What a host publishes with its subnet: the value of a lease in the store.</summary>
internal sealed record LeaseAttributes
{
    /// <summary>Where peers send IPv4-underlay packets to; null in an IPv6-only cluster (stored as 0.0.0.0 by stock).</summary>
    internal required IPAddress? PublicIP { get; init; }

    /// <summary>The IPv6 underlay address; null where there is none.</summary>
    internal IPAddress? PublicIPv6 { get; init; }

    /// <summary>The backend that understands <see cref="BackendData"/>; empty for those that publish none (udp, alloc).</summary>
    internal string BackendType { get; init; } = "";

    /// <summary>The backend's own data as JSON (for vxlan VNI and VtepMAC); undefined where there is none. A clone: it lives as long as the lease.</summary>
    internal JsonElement BackendData { get; init; }

    /// <summary>The same for the IPv6 device.</summary>
    internal JsonElement BackendV6Data { get; init; }

    /// <summary>True if the other says the same; JSON is compared by what it means.</summary>
    public bool Equals(LeaseAttributes? other) =>
        other is not null && Equals(PublicIP, other.PublicIP) && Equals(PublicIPv6, other.PublicIPv6) && BackendType == other.BackendType
        && IsSame(BackendData, other.BackendData) && IsSame(BackendV6Data, other.BackendV6Data);

    /// <summary>Of the addresses and the type: equal JSON need not have equal text.</summary>
    public override int GetHashCode() => HashCode.Combine(PublicIP, PublicIPv6, BackendType);

    private static bool IsSame(JsonElement a, JsonElement b) =>
        a.ValueKind == b.ValueKind && (a.ValueKind == JsonValueKind.Undefined || JsonElement.DeepEquals(a, b));
}
