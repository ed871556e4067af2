using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace FlannelFast.Control.Subnets;

/// <summary>Writes addresses as Go's net.IP does, because stock hosts compare keys as text.</summary>
internal static class AddressFormat
{
    /// <summary>
    /// RFC 5952, sections 4.1 to 4.3: lower case, no leading zeros, the longest run of at least two zero groups (the first of equals) as "::". Unlike
    /// <see cref="IPAddress.ToString"/> never with a dotted end, which that puts into fc00::5efe:a00:0 and ::a00:0.
    /// </summary>
    internal static string Ipv6(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (!address.TryWriteBytes(bytes, out int written) || written != 16) throw new ArgumentException($"{address} is no IPv6 address");
        (int runStart, int runLength) = LongestZeroRun(bytes);
        var text = new StringBuilder(39);
        for (int group = 0; group < 8; group++)
        {
            if (group == runStart)
            {
                text.Append("::");
                group += runLength - 1;
                continue;
            }
            if (text.Length > 0 && text[^1] != ':') text.Append(':');
            text.Append(CultureInfo.InvariantCulture, $"{BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 * group)..]):x}");
        }
        return text.ToString();
    }

    private static (int Start, int Length) LongestZeroRun(ReadOnlySpan<byte> bytes)
    {
        (int Start, int Length) longest = (-1, 1);
        int start = 0;
        for (int group = 0; group < 8; group++)
        {
            if (bytes[2 * group] != 0 || bytes[2 * group + 1] != 0) start = group + 1;
            else if (group + 1 - start > longest.Length) longest = (start, group + 1 - start);
        }
        return longest;
    }
}
