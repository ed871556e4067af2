using System.Buffers.Binary;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// Pseudo-random payload that both ends can make from a seed (SplitMix64 by Steele, Lea and Flood, 2014): no two words repeat, so
/// swapped, doubled or shifted pieces are noticed.
/// </summary>
internal static class PayloadGenerator
{
    private const ulong Golden = 0x9e3779b97f4a7c15;

    /// <summary>Fills a piece of stream number <paramref name="stream"/> of a seed, from its beginning.</summary>
    internal static void Fill(ulong seed, ulong stream, Span<byte> destination)
    {
        ulong state = Mix(seed ^ Mix(stream + Golden));
        while (destination.Length >= 8)
        {
            state += Golden;
            BinaryPrimitives.WriteUInt64LittleEndian(destination, Mix(state));
            destination = destination[8..];
        }
        ulong last = Mix(state + Golden);
        for (int i = 0; i < destination.Length; i++) destination[i] = (byte)(last >> (8 * i));
    }

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }
}
