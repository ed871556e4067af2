using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FlannelFast.Dataplane.Packets;

/// <summary>
/// The Internet checksum (RFC 1071). Partial sums are un-folded 64-bit numbers over 16-bit words as they lie in memory: the sum
/// does not depend on the byte order (RFC 1071 section 2 B), so words are never swapped, and a result is stored raw. Partial
/// sums of adjoining ranges are added with <c>+</c>, provided that every range but the last has an even length. Sums are exact
/// up to 16 GiB.
/// </summary>
internal static unsafe class InternetChecksum
{
    // One vector: measured, headers of 40 and 60 bytes gain from it already in spite of the horizontal addition.
    private const nuint VectorMinimum = 32;

    /// <summary>Sum of a range; an odd last byte counts as followed by a zero.</summary>
    internal static ulong Sum(byte* data, nuint length) => Pass(null, data, length, copy: false);

    /// <summary>Copies a range and sums it in the same pass over memory. The two ranges must not overlap.</summary>
    internal static ulong CopyAndSum(byte* destination, byte* source, nuint length) => Pass(destination, source, length, copy: true);

    /// <summary>A partial sum folded to 16 bits, not complemented. 0 only if every word summed was 0.</summary>
    internal static ushort Fold(ulong sum)
    {
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF) + (sum >> 16 & 0xFFFF) + (sum >> 32);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)(sum + (sum >> 16));
    }

    /// <summary>The checksum to store, raw: the complement of the folded sum.</summary>
    internal static ushort Finish(ulong sum) => (ushort)~Fold(sum);

    /// <summary>
    /// Sum of the pseudo-header of TCP, UDP or ICMPv6: addresses, protocol and upper-layer length (RFC 9293 section 3.1,
    /// RFC 8200 section 8.1). <paramref name="version"/> is 4 or 6; the fixed header must be there in full.
    /// </summary>
    internal static ulong PseudoHeader(byte* ipHeader, int version, byte protocol, uint l4Length)
    {
        // A 32-bit word weighs as much as its two halves, modulo 65535: what is added in one go needs no splitting.
        ulong sum = (ulong)Wire.Swap(l4Length) + Wire.Swap((ushort)protocol);
        if (version == 4)
            return sum + Wire.ReadRaw32(ipHeader + Ipv4.SourceOffset) + Wire.ReadRaw32(ipHeader + Ipv4.DestinationOffset);
        for (int i = 0; i < 2 * Ipv6.AddressLength; i += sizeof(uint)) sum += Wire.ReadRaw32(ipHeader + Ipv6.SourceOffset + i);
        return sum;
    }

    /// <summary>
    /// The checksum after one 16-bit word under it changed; all three raw. RFC 1624 equation 3: equation 2, that of RFC 1141,
    /// yields 0xFFFF where a fresh computation yields 0x0000.
    /// </summary>
    internal static ushort Update(ushort checksum, ushort oldWord, ushort newWord) =>
        Finish((ulong)(ushort)~checksum + (ushort)~oldWord + newWord);

    /// <summary>One pass, compiled twice: <paramref name="copy"/> is a constant in both callers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Pass(byte* destination, byte* source, nuint length, bool copy)
    {
        ulong sum = 0;
        if (length >= VectorMinimum)
        {
            nuint blocks = length & ~(nuint)31;
            if (Vector256.IsHardwareAccelerated) sum = Pass256(destination, source, blocks, copy);
            else if (Vector128.IsHardwareAccelerated) sum = Pass128(destination, source, blocks, copy);
            else blocks = 0;
            source += blocks;
            if (copy) destination += blocks;
            length -= blocks;
        }
        for (; length >= sizeof(ulong); length -= sizeof(ulong), source += sizeof(ulong))
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(source);
            sum += (uint)word + (word >> 32);
            if (!copy) continue;
            Unsafe.WriteUnaligned(destination, word);
            destination += sizeof(ulong);
        }
        if ((length & sizeof(uint)) != 0)
        {
            uint word = Unsafe.ReadUnaligned<uint>(source);
            sum += word;
            source += sizeof(uint);
            if (copy)
            {
                Unsafe.WriteUnaligned(destination, word);
                destination += sizeof(uint);
            }
        }
        if ((length & sizeof(ushort)) != 0)
        {
            ushort word = Unsafe.ReadUnaligned<ushort>(source);
            sum += word;
            source += sizeof(ushort);
            if (copy)
            {
                Unsafe.WriteUnaligned(destination, word);
                destination += sizeof(ushort);
            }
        }
        if ((length & 1) != 0)
        {
            sum += BitConverter.IsLittleEndian ? *source : (ulong)*source << 8;
            if (copy) *destination = *source;
        }
        return sum;
    }

    /// <summary>A multiple of 32 bytes. Each 64-bit lane gathers 32-bit words, so no carry is ever lost and nothing is widened.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Pass256(byte* destination, byte* source, nuint length, bool copy)
    {
        const int Step = 32;
        Vector256<ulong> low = Vector256.Create(0xFFFF_FFFFUL);
        Vector256<ulong> a = default, b = default, c = default, d = default;
        for (; length >= 4 * Step; length -= 4 * Step, source += 4 * Step)
        {
            Vector256<ulong> w = Vector256.Load((ulong*)source);
            Vector256<ulong> x = Vector256.Load((ulong*)(source + Step));
            Vector256<ulong> y = Vector256.Load((ulong*)(source + 2 * Step));
            Vector256<ulong> z = Vector256.Load((ulong*)(source + 3 * Step));
            if (copy)
            {
                w.Store((ulong*)destination);
                x.Store((ulong*)(destination + Step));
                y.Store((ulong*)(destination + 2 * Step));
                z.Store((ulong*)(destination + 3 * Step));
                destination += 4 * Step;
            }
            a += (w & low) + (w >>> 32);
            b += (x & low) + (x >>> 32);
            c += (y & low) + (y >>> 32);
            d += (z & low) + (z >>> 32);
        }
        for (; length >= Step; length -= Step, source += Step)
        {
            Vector256<ulong> w = Vector256.Load((ulong*)source);
            a += (w & low) + (w >>> 32);
            if (!copy) continue;
            w.Store((ulong*)destination);
            destination += Step;
        }
        return Vector256.Sum((a + b) + (c + d));
    }

    /// <summary>The same with the 128-bit registers that every arm64 has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Pass128(byte* destination, byte* source, nuint length, bool copy)
    {
        const int Step = 16;
        Vector128<ulong> low = Vector128.Create(0xFFFF_FFFFUL);
        Vector128<ulong> a = default, b = default;
        for (; length >= 2 * Step; length -= 2 * Step, source += 2 * Step)
        {
            Vector128<ulong> w = Vector128.Load((ulong*)source);
            Vector128<ulong> x = Vector128.Load((ulong*)(source + Step));
            if (copy)
            {
                w.Store((ulong*)destination);
                x.Store((ulong*)(destination + Step));
                destination += 2 * Step;
            }
            a += (w & low) + (w >>> 32);
            b += (x & low) + (x >>> 32);
        }
        return Vector128.Sum(a + b);
    }
}
