namespace FlannelFast.Dataplane.Tests.Packets;

/// <summary>The Internet checksum as RFC 1071 tells it: big-endian words, one byte pair after the other, end-around carry.</summary>
internal static class SlowChecksum
{
    /// <summary>The 16-bit one's complement sum; an odd last byte is the upper half of a word.</summary>
    internal static int Sum(ReadOnlySpan<byte> data, int start = 0)
    {
        int sum = start;
        for (int i = 0; i < data.Length; i += 2)
        {
            sum += data[i] << 8;
            if (i + 1 < data.Length) sum += data[i + 1];
            if (sum > 0xFFFF) sum -= 0xFFFF;
        }
        return sum;
    }

    /// <summary>Sum of the pseudo-header, written out as RFC 793 and RFC 8200 draw it.</summary>
    internal static int PseudoHeader(ReadOnlySpan<byte> packet, byte protocol, int l4Length)
    {
        List<byte> pseudo = [];
        if (packet[0] >> 4 == 4)
        {
            pseudo.AddRange(packet[12..20]);
            pseudo.AddRange([0, protocol, (byte)(l4Length >> 8), (byte)l4Length]);
        }
        else
        {
            pseudo.AddRange(packet[8..40]);
            pseudo.AddRange([(byte)(l4Length >> 24), (byte)(l4Length >> 16), (byte)(l4Length >> 8), (byte)l4Length, 0, 0, 0, protocol]);
        }
        return Sum([.. pseudo]);
    }
}
