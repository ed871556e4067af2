using System.Text.Json;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Backends.Udp;

/// <summary>
/// How udp hosts know each other as FlannelFast where the network has IPv6 too: by a BackendV6Data of <c>{"Inner":"IPv6"}</c>. Stock's udp backend
/// publishes none and reads none. Without IPv6 nothing is published, so that the value is stock's byte for byte.
/// </summary>
internal static class UdpLeaseData
{
    private const string Name = "Inner", Value = "IPv6";

    /// <summary>What this host publishes.</summary>
    internal static JsonElement InnerIpv6 { get; } = Parse();

    /// <summary>True if the host of a lease takes IPv6 packets on the udp port.</summary>
    internal static bool CarriesIpv6(Lease lease)
    {
        JsonElement data = lease.Attributes.BackendV6Data;
        return data.ValueKind == JsonValueKind.Object && data.TryGetProperty(Name, out JsonElement inner)
            && inner.ValueKind == JsonValueKind.String && inner.ValueEquals(Value);
    }

    private static JsonElement Parse()
    {
        using JsonDocument document = JsonDocument.Parse($$"""{"{{Name}}":"{{Value}}"}""");
        return document.RootElement.Clone();
    }
}
