using System.Runtime.CompilerServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>An IPv6 address in host order as a hash key. Two words: a UInt128 would pad each slot of a map to 32 bytes.</summary>
internal readonly struct Ipv6Key(UInt128 value) : IAddressKey<Ipv6Key>
{
    private readonly ulong _high = (ulong)(value >> 64);
    private readonly ulong _low = (ulong)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Same(Ipv6Key a, Ipv6Key b) => ((a._high ^ b._high) | (a._low ^ b._low)) == 0;

    /// <summary>
    /// Folded product of the two words, each hidden behind its own secret. Subnet keys have a low word of zero and hosts of
    /// one subnet the same high word: the product stays a multiplicative hash of the other one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash(Ipv6Key key, ulong seed, ulong multiplier)
    {
        ulong high = Math.BigMul(key._high ^ seed, key._low ^ multiplier, out ulong low);
        return high ^ low;
    }
}
