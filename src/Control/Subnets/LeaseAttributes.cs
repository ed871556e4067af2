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
}
