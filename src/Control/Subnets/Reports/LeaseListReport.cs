using System.Text.Json;

namespace FlannelFast.Control.Subnets.Reports;

/// <summary>What <c>leases --json</c> prints. Names are frozen by a golden file; a change of meaning raises the schema number.</summary>
internal sealed record LeaseListReport
{
    public int Schema { get; init; } = 1;

    /// <summary>The store in the words of the log.</summary>
    public required string Store { get; init; }

    /// <summary>At which this is how it was.</summary>
    public required long Revision { get; init; }

    /// <summary>By address.</summary>
    public required IReadOnlyList<LeaseReport> Leases { get; init; }

    /// <summary>What a daemon passes over.</summary>
    public required IReadOnlyList<IgnoredKeyReport> Ignored { get; init; }
}

/// <summary>One lease.</summary>
/// <param name="Subnet">IPv4; null where it has none.</param>
/// <param name="Ipv6Subnet">IPv6; likewise.</param>
/// <param name="PublicIp">Underlay address.</param>
/// <param name="PublicIpv6">Underlay address.</param>
/// <param name="BackendType">Null where it publishes none (udp, alloc).</param>
/// <param name="BackendData">As published.</param>
/// <param name="BackendV6Data">As published.</param>
/// <param name="Reserved">It has no end.</param>
/// <param name="ExpiresInSeconds">Null for a reservation, and where the store could not say.</param>
/// <param name="CreateRevision">When the claim was made.</param>
/// <param name="ModRevision">When it was last written.</param>
internal sealed record LeaseReport(
    string? Subnet, string? Ipv6Subnet, string? PublicIp, string? PublicIpv6, string? BackendType, JsonElement? BackendData, JsonElement? BackendV6Data,
    bool Reserved, double? ExpiresInSeconds, long CreateRevision, long ModRevision);

/// <summary>A key that is no usable lease.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Reason">The end of a sentence about it.</param>
internal sealed record IgnoredKeyReport(string Key, string Reason);
