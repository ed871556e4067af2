using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// The value of a lease in the store, as stock flannel's LeaseAttrs writes it:
/// <c>{"PublicIP":"192.0.2.1","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"}}</c>.
/// </summary>
internal static class LeaseValue
{
    // Go escapes in a string no more than this encoder and <, >, &; none of the three is in a backend's name.
    private static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a value byte for byte as stock does (since 0.15, which added PublicIPv6; older hosts ignore it).</summary>
    internal static byte[] Format(LeaseAttributes attributes)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(output, s_options))
        {
            writer.WriteStartObject();
            writer.WriteString("PublicIP", (attributes.PublicIP ?? IPAddress.Any).ToString());
            if (attributes.PublicIPv6 is { } ipv6) writer.WriteString("PublicIPv6", AddressFormat.Ipv6(ipv6));
            else writer.WriteNull("PublicIPv6");
            if (attributes.BackendType.Length > 0) writer.WriteString("BackendType", attributes.BackendType);
            WriteData(writer, "BackendData", attributes.BackendData);
            WriteData(writer, "BackendV6Data", attributes.BackendV6Data);
            writer.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads what any version of stock wrote, and by hand what it would read.</summary>
    /// <param name="value">From the store: nothing about it can be relied on.</param>
    /// <param name="attributes">What it says.</param>
    /// <param name="error">Else what is wrong: the end of a sentence about the value.</param>
    internal static bool TryParse(ReadOnlySpan<byte> value, [NotNullWhen(true)] out LeaseAttributes? attributes, [NotNullWhen(false)] out string? error)
    {
        attributes = null;
        error = value.Length > RegistryEntry.MaxValueSize ? $"is longer than {RegistryEntry.MaxValueSize} bytes" : null;
        if (error is not null) return false;
        try
        {
            JsonElement root = GoJson.Parse(value);
            if (root.ValueKind == JsonValueKind.Object) return TryRead(root, out attributes, out error);
            error = $"is {GoJson.Describe(root)}, not an object";
        }
        catch (JsonException e)
        {
            error = $"is not valid JSON at byte {e.BytePositionInLine} of line {e.LineNumber + 1}";
        }
        return false;
    }

    private static bool TryRead(JsonElement root, [NotNullWhen(true)] out LeaseAttributes? attributes, [NotNullWhen(false)] out string? error)
    {
        attributes = null;
        JsonElement type = GoJson.Find(root, "BackendType");
        string? typeText = "";
        if (type.ValueKind != JsonValueKind.Undefined && !GoJson.TryGetString(type, out typeText))
        {
            error = $"has as BackendType {GoJson.Describe(type)}, not a string";
            return false;
        }
        // PublicIP is kept by value and PublicIPv6 by reference: null is an error in the first only.
        if (!TryReadAddress(root, "PublicIP", AddressFamily.InterNetwork, out IPAddress? ipv4, out error)) return false;
        if (!TryReadAddress(root, "PublicIPv6", AddressFamily.InterNetworkV6, out IPAddress? ipv6, out error)) return false;
        attributes = new()
        {
            PublicIP = ipv4,
            PublicIPv6 = ipv6,
            BackendType = typeText,
            BackendData = Data(root, "BackendData"),
            BackendV6Data = Data(root, "BackendV6Data"),
        };
        return true;
    }

    /// <summary>Null for an address that is missing or all zero, which is how stock writes that there is none.</summary>
    private static bool TryReadAddress(JsonElement root, string name, AddressFamily family, out IPAddress? address, [NotNullWhen(false)] out string? error)
    {
        (address, error) = (null, null);
        JsonElement value = GoJson.Find(root, name, nullCounts: true);
        if (value.ValueKind == JsonValueKind.Undefined || (value.ValueKind == JsonValueKind.Null && family == AddressFamily.InterNetworkV6)) return true;
        if (!GoJson.TryGetString(value, out string? text) || !AddressText.TryParse(text, out IPAddress? parsed) || parsed.AddressFamily != family)
        {
            error = $"has as {name} {GoJson.Describe(value)}, not an {(family == AddressFamily.InterNetwork ? "IPv4" : "IPv6")} address";
            return false;
        }
        if (!parsed.Equals(IPAddress.Any) && !parsed.Equals(IPAddress.IPv6Any)) address = parsed;
        return true;
    }

    private static JsonElement Data(JsonElement root, string name)
    {
        JsonElement value = GoJson.Find(root, name, nullCounts: true);
        // A part of its own, or a lease would keep every unknown field of its value alive.
        return value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? default : value.Clone();
    }

    private static void WriteData(Utf8JsonWriter writer, string name, JsonElement data)
    {
        if (data.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return;
        var compact = new ArrayBufferWriter<byte>(128);
        GoJson.WriteCompact(data, compact);
        writer.WritePropertyName(name);
        // The bytes come out of a JsonElement: they were checked when it was read.
        writer.WriteRawValue(compact.WrittenSpan, skipInputValidation: true);
    }
}
