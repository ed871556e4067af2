using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace FlannelFast.Control.Tunnels;

/// <summary>
/// Reads addresses and networks strictly. IPAddress.TryParse follows inet_aton(3): it takes "10.5", hexadecimal, octal
/// ("010.0.0.1" is 8.0.0.1) and scopes, each of which is a typing error in a routing table.
/// </summary>
internal static class AddressText
{
    // The longest text of an IPv6 address: eight groups, the last two written as IPv4.
    private const int LongestAddress = 45;

    /// <summary>Reads four decimal numbers without leading zeros, or an IPv6 address without scope that is not IPv4-mapped.</summary>
    internal static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        if (text.Length > LongestAddress) return false;
        if (!text.Contains(':')) return TryParseV4(text, out address);
        if (text.ContainsAny("%[]/ ") || !IPAddress.TryParse(text, out IPAddress? v6)) return false;
        if (v6.AddressFamily != AddressFamily.InterNetworkV6 || v6.IsIPv4MappedToIPv6) return false;
        address = v6;
        return true;
    }

    /// <summary>Reads "address/length".</summary>
    /// <param name="text">The text.</param>
    /// <param name="network">The network without host bits, also when <paramref name="hasHostBits"/> is true.</param>
    /// <param name="hasHostBits">True when the address had bits set beyond the length, so that the text names a host.</param>
    internal static bool TryParseNetwork(ReadOnlySpan<char> text, out IPNetwork network, out bool hasHostBits)
    {
        (network, hasHostBits) = (default, false);
        int slash = text.IndexOf('/');
        if (slash < 0 || !TryParse(text[..slash], out IPAddress? address)) return false;
        int bits = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        if (!TryParseDecimal(text[(slash + 1)..], bits, out int length)) return false;

        Span<byte> bytes = stackalloc byte[bits / 8];
        address.TryWriteBytes(bytes, out _);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte mask = (byte)(0xff00 >> Math.Clamp(length - 8 * i, 0, 8));
            hasHostBits |= (bytes[i] & ~mask) != 0;
            bytes[i] &= mask;
        }
        network = new(hasHostBits ? new IPAddress(bytes) : address, length);
        return true;
    }

    private static bool TryParseV4(ReadOnlySpan<char> text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        Span<byte> bytes = stackalloc byte[4];
        for (int i = 0; i < bytes.Length; i++)
        {
            int dot = i < 3 ? text.IndexOf('.') : text.Length;
            if (dot < 0 || !TryParseDecimal(text[..dot], 255, out int value)) return false;
            bytes[i] = (byte)value;
            text = text[Math.Min(dot + 1, text.Length)..];
        }
        address = new(bytes);
        return true;
    }

    private static bool TryParseDecimal(ReadOnlySpan<char> text, int max, out int value)
    {
        value = 0;
        if (text.Length is 0 or > 3 || (text[0] == '0' && text.Length > 1)) return false;
        foreach (char c in text)
        {
            if (!char.IsAsciiDigit(c)) return false;
            value = 10 * value + (c - '0');
        }
        return value <= max;
    }
}
