using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Tunnels;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// The name of a lease below <c>&lt;prefix&gt;/subnets/</c>: <c>10.5.52.0-24</c>, with IPv6 <c>10.5.52.0-24&amp;fc00:0:0:1::-64</c>, and with
/// nothing but IPv6 <c>0.0.0.0-0&amp;fc00:0:0:1::-64</c>. Every subnet has exactly one name: what stock's looser expression takes besides (other
/// characters for dots, host bits, upper case, anything in front) would give two hosts two keys for one subnet.
/// </summary>
internal static class SubnetKey
{
    /// <summary>Far more than the longest name has.</summary>
    private const int LongestKey = 80;

    /// <summary>What stock writes for the IPv4 part where there is none.</summary>
    private const string NoIpv4 = "0.0.0.0-0";

    internal static string Format(LeasedSubnet subnet)
    {
        string ipv4 = subnet.Ipv4 is { } v4 ? $"{v4.BaseAddress}-{v4.PrefixLength}" : NoIpv4;
        return subnet.Ipv6 is { } v6 ? $"{ipv4}&{AddressFormat.Ipv6(v6.BaseAddress)}-{v6.PrefixLength}" : ipv4;
    }

    internal static bool TryParse(string key, [NotNullWhen(true)] out LeasedSubnet? subnet)
    {
        subnet = null;
        if (key.Length > LongestKey) return false;
        int separator = key.IndexOf('&');
        ReadOnlySpan<char> first = separator < 0 ? key : key.AsSpan(0, separator);
        IPNetwork? ipv4 = null, ipv6 = null;
        if (separator < 0 || !first.SequenceEqual(NoIpv4))
        {
            if (!TryParsePart(first, AddressFamily.InterNetwork, out IPNetwork v4)) return false;
            ipv4 = v4;
        }
        if (separator >= 0)
        {
            if (!TryParsePart(key.AsSpan(separator + 1), AddressFamily.InterNetworkV6, out IPNetwork v6)) return false;
            ipv6 = v6;
        }
        var parsed = new LeasedSubnet(ipv4, ipv6);
        if (Format(parsed) != key) return false;
        subnet = parsed;
        return true;
    }

    private static bool TryParsePart(ReadOnlySpan<char> text, AddressFamily family, out IPNetwork network)
    {
        network = default;
        int dash = text.IndexOf('-');
        if (dash < 0 || !AddressText.TryParse(text[..dash], out IPAddress? address) || address.AddressFamily != family) return false;
        // Stock reads 5 and 7 bits: a subnet of one address is none, and one of length 0 is everything.
        int longest = family == AddressFamily.InterNetwork ? 31 : 127;
        if (!int.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int length) || length is 0 || length > longest) return false;
        if (!AddressText.TryParseNetwork($"{address}/{length}", out network, out bool hasHostBits)) return false;
        return !hasHostBits;
    }
}
