using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Backends.Vxlan;

/// <summary>What a vxlan host publishes as BackendData (and as BackendV6Data for its IPv6 device): <c>{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}</c>.</summary>
/// <param name="Vni">Null where the host does not say, as flannel up to 0.13. Never compared with our own: stock does not either.</param>
/// <param name="VtepMac">Unicast, not zero.</param>
internal sealed record VxlanLeaseData(uint? Vni, MacAddress VtepMac)
{
    /// <summary>As stock writes it, for <see cref="BackendAnnouncement"/>.</summary>
    internal JsonElement ToJson()
    {
        ArrayBufferWriter<byte> bytes = new();
        using (Utf8JsonWriter writer = new(bytes))
        {
            writer.WriteStartObject();
            if (Vni is { } vni) writer.WriteNumber("VNI", vni);
            writer.WriteString("VtepMAC", VtepMac.ToString());
            writer.WriteEndObject();
        }
        using JsonDocument document = JsonDocument.Parse(bytes.WrittenMemory);
        return document.RootElement.Clone();
    }

    /// <summary>Reads what a host published. Field names have any case; the last of several wins; unknown ones are ignored.</summary>
    /// <param name="json">The lease's data, or undefined.</param>
    /// <param name="data">What it says.</param>
    /// <param name="refusal">Else what is wrong with it, after the name of the field: "BackendData has no VtepMAC".</param>
    internal static bool TryRead(JsonElement json, [NotNullWhen(true)] out VxlanLeaseData? data, [NotNullWhen(false)] out string? refusal)
    {
        data = null;
        refusal = "BackendData is not an object with VNI and VtepMAC";
        if (json.ValueKind != JsonValueKind.Object) return false;
        uint? vni = null;
        MacAddress? mac = null;
        foreach (JsonProperty field in json.EnumerateObject())
        {
            if (field.Value.ValueKind == JsonValueKind.Null) continue;
            if (field.Name.Equals("VNI", StringComparison.OrdinalIgnoreCase))
            {
                refusal = "BackendData has a VNI that is no number of 32 bits";
                if (field.Value.ValueKind != JsonValueKind.Number || !field.Value.TryGetUInt32(out uint number)) return false;
                vni = number;
            }
            else if (field.Name.Equals("VtepMAC", StringComparison.OrdinalIgnoreCase))
            {
                refusal = "BackendData has a VtepMAC that is no unicast Ethernet address";
                if (field.Value.ValueKind != JsonValueKind.String || !MacAddress.TryParse(Text(field.Value), out MacAddress address)) return false;
                if (address.IsMulticast || address.IsZero) return false;
                mac = address;
            }
        }
        refusal = "BackendData has no VtepMAC";
        if (mac is not { } vtep) return false;
        refusal = null;
        data = new(vni, vtep);
        return true;
    }

    // Escapes that are no text (a lone surrogate) make GetString throw; such a value is no address either.
    private static string Text(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "";
        }
    }
}
