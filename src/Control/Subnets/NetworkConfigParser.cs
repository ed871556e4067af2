using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Reads the network config as stock flannel reads it (Go's encoding/json into pkg/subnet/config.go), with its defaults and in its words.
/// </summary>
internal static class NetworkConfigParser
{
    /// <summary>Reads, checks and completes a config.</summary>
    /// <exception cref="NetworkConfigException">The first thing that is wrong.</exception>
    internal static NetworkConfig Parse(ReadOnlySpan<byte> json)
    {
        JsonElement root = ReadRoot(json);
        bool ipv4 = Flag(root, "EnableIPv4", otherwise: true), ipv6 = Flag(root, "EnableIPv6", otherwise: false);
        // Every field is read before any is judged, and those of a family that is off too: a wrong type is an error wherever it stands.
        (FamilyText Text, IPNetwork? Network, ulong Length, IPAddress? Min, IPAddress? Max) v4 = Family(root, FamilyText.Ipv4), v6 = Family(root, FamilyText.Ipv6);
        bool nftables = Flag(root, "EnableNFTables", otherwise: false);
        BackendConfig backend = Backend(root);
        if (!ipv4 && !ipv6) throw new NetworkConfigException("none defined stack");
        return new()
        {
            Ipv4 = ipv4 ? v4.Text.Complete(v4.Network, v4.Length, v4.Min, v4.Max) : null,
            Ipv6 = ipv6 ? v6.Text.Complete(v6.Network, v6.Length, v6.Min, v6.Max) : null,
            EnableNFTables = nftables,
            Backend = backend,
        };
    }

    private static JsonElement ReadRoot(ReadOnlySpan<byte> json)
    {
        // Registries read no more than that.
        if (json.Length >= RegistryEntry.MaxValueSize)
            throw new NetworkConfigException($"the network config is longer than {RegistryEntry.MaxValueSize - 1} bytes");
        try
        {
            JsonElement root = GoJson.Parse(json);
            // Go takes a bare null for an object without fields, and so do the messages that follow.
            if (root.ValueKind is JsonValueKind.Object or JsonValueKind.Null) return root;
            throw new NetworkConfigException($"the network config must be a JSON object, not {GoJson.Describe(root)}");
        }
        catch (JsonException e)
        {
            throw new NetworkConfigException($"the network config is not valid JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}");
        }
    }

    private static (FamilyText Text, IPNetwork? Network, ulong Length, IPAddress? Min, IPAddress? Max) Family(JsonElement root, FamilyText text) => (
        text, Network(root, text), Number(root, text.FieldPrefix + "SubnetLen"),
        Address(root, text, "SubnetMin"), Address(root, text, "SubnetMax"));

    private static BackendConfig Backend(JsonElement root)
    {
        JsonElement backend = GoJson.Find(root, "Backend", nullCounts: true);
        if (backend.ValueKind == JsonValueKind.Undefined) return new("udp", default);
        if (backend.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null)) throw Unexpected("Backend", "an object", backend);
        JsonElement type = GoJson.Find(backend, "Type");
        if (type.ValueKind == JsonValueKind.Undefined) return new("", backend);
        return GoJson.TryGetString(type, out string? name) ? new(name.ToLowerInvariant(), backend) : throw Unexpected("Type of Backend", "a string", type);
    }

    private static bool Flag(JsonElement root, string name, bool otherwise)
    {
        JsonElement value = GoJson.Find(root, name);
        return value.ValueKind switch
        {
            JsonValueKind.Undefined => otherwise,
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Unexpected(name, "true or false", value),
        };
    }

    private static ulong Number(JsonElement root, string name)
    {
        JsonElement value = GoJson.Find(root, name);
        if (value.ValueKind == JsonValueKind.Undefined) return 0;
        return value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out ulong number)
            ? number : throw Unexpected(name, "a whole number from 0 on", value);
    }

    private static IPNetwork? Network(JsonElement root, FamilyText family)
    {
        string name = family.FieldPrefix + "Network";
        JsonElement value = GoJson.Find(root, name, nullCounts: true);
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (GoJson.TryGetString(value, out string? text) && AddressText.TryParseNetwork(text, out IPNetwork network, out _)
            && network.BaseAddress.AddressFamily == FamilyOf(family))
            return network;
        throw Unexpected(name, family.IsIpv6 ? "an IPv6 network such as fc00::/48" : "an IPv4 network such as 10.5.0.0/16", value);
    }

    private static IPAddress? Address(JsonElement root, FamilyText family, string field)
    {
        string name = family.FieldPrefix + field;
        // Stock keeps the IPv4 bounds by value and the IPv6 bounds by reference: only a reference can be null.
        JsonElement value = GoJson.Find(root, name, nullCounts: true);
        if (value.ValueKind == JsonValueKind.Undefined || (family.IsIpv6 && value.ValueKind == JsonValueKind.Null)) return null;
        if (GoJson.TryGetString(value, out string? text) && AddressText.TryParse(text, out IPAddress? address) && address.AddressFamily == FamilyOf(family))
            return address;
        throw Unexpected(name, family.IsIpv6 ? "an IPv6 address" : "an IPv4 address", value);
    }

    private static AddressFamily FamilyOf(FamilyText family) => family.IsIpv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;

    private static NetworkConfigException Unexpected(string field, string expected, JsonElement value) =>
        new($"{field}: expected {expected}, not {GoJson.Describe(value)}");
}
