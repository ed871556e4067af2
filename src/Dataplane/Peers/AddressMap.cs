using System.Runtime.CompilerServices;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Dataplane.Peers;

/// <summary>
/// An immutable hash map from addresses to indices, for one lookup per packet. Open addressing in a power-of-two table filled to
/// one half at most, Robin Hood placement: keys sit within <see cref="MaxProbes"/> neighbouring slots of their home, so a hit or a
/// miss reads one or two cache lines, whatever an adversary sends. Hashes are seeded with secrets, so that nobody can choose
/// addresses that collide.
/// </summary>
/// <typeparam name="TKey">The address.</typeparam>
internal sealed class AddressMap<TKey> where TKey : struct, IAddressKey<TKey>
{
    /// <summary>
    /// The most slots a lookup reads. Over 60 seeds and regular keys the longest chain was 3 to 9 in nine of ten maps of 100,000 or
    /// 131,072 (half full); a seed that would need more than this is thrown away.
    /// </summary>
    internal const int MaxProbes = 16;

    private const int SeedsPerSize = 8;

    private readonly Slot[] _slots;
    private readonly ulong _seed;
    private readonly ulong _multiplier;
    private readonly int _shift;
    private readonly int _probes;

    private AddressMap(Slot[] slots, ulong seed, ulong multiplier, int shift, int probes) =>
        (_slots, _seed, _multiplier, _shift, _probes) = (slots, seed, multiplier, shift, probes);

    /// <summary>The most slots a lookup in this map reads.</summary>
    internal int Probes => _probes;

    /// <summary>Slots a key can have as its home: a power of two.</summary>
    internal int Capacity => 1 << (64 - _shift);

    /// <summary>Maps each key to the value at the same position. Keys must be distinct, values zero or more.</summary>
    internal static AddressMap<TKey> Build(ReadOnlySpan<TKey> keys, ReadOnlySpan<int> values) =>
        // Not RandomNumberGenerator: that one loads OpenSSL.
        Build(keys, values, FlowHash.Halves(Guid.NewGuid()).First, MaxProbes);

    /// <summary>The same with a given seed and bound, for tests: a tight bound makes it try further seeds and larger tables.</summary>
    internal static AddressMap<TKey> Build(ReadOnlySpan<TKey> keys, ReadOnlySpan<int> values, ulong seed, int maxProbes)
    {
        int bits = 1;
        while (1L << bits < 2L * keys.Length) bits++;
        for (; ; bits++)
        {
            // Slots beyond the last home instead of wrapping around: the loop of a lookup needs no mask.
            var slots = new Slot[(1 << bits) + maxProbes];
            for (int attempt = 0; attempt < SeedsPerSize; attempt++)
            {
                ulong secret = Scramble(seed++);
                ulong multiplier = Scramble(~secret) | 1;
                if (TryPlace(slots, keys, values, secret, multiplier, 64 - bits, maxProbes, out int probes))
                    return new(slots, secret, multiplier, 64 - bits, probes);
                Array.Clear(slots);
            }
        }
    }

    /// <summary>The value of a key, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Find(TKey key)
    {
        Slot[] slots = _slots;
        int at = (int)(TKey.Hash(key, _seed, _multiplier) >> _shift);
        for (int end = at + _probes; at < end; at++)
        {
            ref readonly Slot slot = ref slots[at];
            // An empty slot holds 0 and so answers -1 by itself.
            if (TKey.Same(slot.Key, key) || slot.ValuePlusOne == 0) return slot.ValuePlusOne - 1;
        }
        return -1;
    }

    private static bool TryPlace(
        Slot[] slots, ReadOnlySpan<TKey> keys, ReadOnlySpan<int> values, ulong seed, ulong multiplier, int shift, int maxProbes, out int probes)
    {
        probes = 0;
        for (int i = 0; i < keys.Length; i++)
        {
            Slot homeless = new(keys[i], values[i] + 1);
            int home = (int)(TKey.Hash(homeless.Key, seed, multiplier) >> shift);
            for (int at = home; ; at++)
            {
                if (at - home >= maxProbes) return false;
                probes = Math.Max(probes, at - home + 1);
                ref Slot slot = ref slots[at];
                if (slot.ValuePlusOne == 0)
                {
                    slot = homeless;
                    break;
                }
                int otherHome = (int)(TKey.Hash(slot.Key, seed, multiplier) >> shift);
                if (otherHome <= home) continue;
                (slot, homeless) = (homeless, slot);
                home = otherHome;
            }
        }
        return true;
    }

    /// <summary>SplitMix64's output function: neighbouring seeds become unrelated words.</summary>
    private static ulong Scramble(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    private readonly struct Slot(TKey key, int valuePlusOne)
    {
        internal readonly TKey Key = key;
        internal readonly int ValuePlusOne = valuePlusOne;
    }
}
