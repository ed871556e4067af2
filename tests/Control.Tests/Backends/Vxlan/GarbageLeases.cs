using System.Net;
using System.Text.Json;
using FlannelFast.Control.Backends.Vxlan;
using FlannelFast.Control.Subnets;

namespace FlannelFast.Control.Tests.Backends.Vxlan;

/// <summary>Leases that are well formed and still impossible, hostile or in conflict with older ones.</summary>
internal static class GarbageLeases
{
    /// <summary>One of each kind.</summary>
    /// <param name="own">The host under test.</param>
    /// <param name="good">A good lease, older than all of these.</param>
    internal static Lease[] All(Lease own, Lease good)
    {
        int revision = 1000;
        return
        [
            New("10.9.0.0/24"), New("0.0.0.0/0"), New("10.5.0.0/16"), New("10.5.1.0/25"), New("10.5.1.128/25"),
            New("10.5.30.0/24", "0.0.0.0"), New("10.5.31.0/24", "224.0.0.1"), New("10.5.32.0/24", "255.255.255.255"), New("10.5.33.0/24", "127.0.0.1"),
            New("10.5.34.0/24", $"{own.Attributes.PublicIP}"), New("10.5.35.0/24", "10.5.35.7"), New("10.5.36.0/24", null),
            // Over an older lease: the same, a part of it, and around it.
            New("10.5.2.128/25"), New("10.5.2.0/23"),
            New("10.5.40.0/24", data: null), New("10.5.41.0/24", data: "[]"), New("10.5.42.0/24", data: """{"VNI":1}"""),
            New("10.5.43.0/24", data: """{"VNI":1,"VtepMAC":"ff:ff:ff:ff:ff:ff"}"""), New("10.5.44.0/24", data: """{"VNI":1,"VtepMAC":"00:00:00:00:00:00"}"""),
            New("10.5.45.0/24", data: own.Attributes.BackendData.GetRawText()), New("10.5.46.0/24", data: good.Attributes.BackendData.GetRawText()),
        ];

        Lease New(string subnet, string? publicIP = "192.0.2.77", string? data = """{"VNI":1,"VtepMAC":"02:00:00:00:00:66"}""") => new()
        {
            Subnet = new(IPNetwork.Parse(subnet)),
            Attributes = new() { PublicIP = publicIP is null ? null : IPAddress.Parse(publicIP), BackendType = "vxlan", BackendData = data is null ? default : Json(data) },
            ExpiresAt = null,
            CreateRevision = ++revision,
            ModRevision = revision,
        };
    }

    private static JsonElement Json(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
