using System.Globalization;
using System.Net;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Tunnels;

/// <summary>Turns single values into numbers, switches, names and addresses, or into the one error that names the place.</summary>
internal sealed class SettingReader(SettingOrigin origin)
{
    private const string NetworkSyntax = "a network in the form address/length, for example 10.5.0.0/16";

    /// <summary>A whole number between two bounds, or the default when it was not given.</summary>
    internal int Integer(string key, SettingValue value, int min, int max, int absent)
    {
        if (!value.IsSet) return absent;
        if (value.Kind is SettingKind.Flag or SettingKind.Number &&
            int.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) &&
            number >= min && number <= max)
        {
            return number;
        }
        throw origin.Unexpected(key, value, string.Create(CultureInfo.InvariantCulture, $"a whole number from {min} to {max}"));
    }

    /// <summary>"on" or "off" as a flag, true or false in a file.</summary>
    internal bool Switch(string key, SettingValue value, bool absent) => value switch
    {
        { IsSet: false } => absent,
        { Kind: SettingKind.Flag, Text: "on" } or { Kind: SettingKind.Boolean, Text: "true" } => true,
        { Kind: SettingKind.Flag, Text: "off" } or { Kind: SettingKind.Boolean, Text: "false" } => false,
        { Kind: SettingKind.Flag } => throw origin.Unexpected(key, value, "on or off"),
        _ => throw origin.Unexpected(key, value, "true or false"),
    };

    /// <summary>One of a few words.</summary>
    internal T Choice<T>(string key, SettingValue value, IReadOnlyDictionary<string, T> words)
    {
        if (IsText(value) && words.TryGetValue(value.Text, out T? choice)) return choice;
        throw origin.Unexpected(key, value, string.Join(" or ", words.Keys));
    }

    /// <summary>A name that the kernel accepts for an interface (dev_valid_name in net/core/dev.c) and that stays as it was written.</summary>
    internal string DeviceName(string key, SettingValue value)
    {
        // '%' would be filled in by the kernel (dev_alloc_name), "all" and "default" have another meaning in /proc/sys/net.
        if (IsText(value) && value.Text is { Length: >= 1 and <= 15 } name && name.All(c => c is > ' ' and < '\x7f' && c is not ('/' or ':' or '%')) &&
            name is not ("." or ".." or "all" or "default" or "lo"))
        {
            return name;
        }
        throw origin.Unexpected(key, value, "an interface name of 1 to 15 letters, digits or signs without space, '/', ':' and '%'");
    }

    /// <summary>A unicast address of an underlay.</summary>
    internal IPAddress UnicastAddress(string key, SettingValue value)
    {
        if (IsText(value) && AddressText.TryParse(value.Text, out IPAddress? address) && AddressRules.IsUnicast(address)) return address;
        throw origin.Unexpected(key, value, "a unicast IPv4 or IPv6 address, for example 192.0.2.1");
    }

    /// <summary>A unicast Ethernet address.</summary>
    internal MacAddress UnicastMac(string key, SettingValue value)
    {
        if (IsText(value) && MacAddress.TryParse(value.Text, out MacAddress mac) && !mac.IsZero && !mac.IsMulticast) return mac;
        throw origin.Unexpected(key, value, "a unicast Ethernet address, for example 02:ff:c0:00:02:01");
    }

    /// <summary>A network that pods can live in, written without host bits.</summary>
    internal IPNetwork Network(string key, SettingValue value)
    {
        if (!IsText(value) || !AddressText.TryParseNetwork(value.Text, out IPNetwork network, out bool hasHostBits))
            throw origin.Unexpected(key, value, NetworkSyntax);
        if (hasHostBits) throw origin.Refused(key, value, $"{value} has bits set behind the prefix; expected {network}");
        if (!AddressRules.IsRoutable(network))
            throw origin.Unexpected(key, value, "a network without loopback, link-local, multicast and reserved addresses");
        return network;
    }

    private static bool IsText(SettingValue value) => value.Kind is SettingKind.Flag or SettingKind.String;
}
