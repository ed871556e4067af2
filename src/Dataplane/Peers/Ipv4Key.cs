using System.Runtime.CompilerServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>An IPv4 address in host order as a hash key.</summary>
internal readonly struct Ipv4Key(uint value) : IAddressKey<Ipv4Key>
{
    private readonly uint _value = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Same(Ipv4Key a, Ipv4Key b) => a._value == b._value;

    /// <summary>Folded 64 x 64 bit product: one multiplication, and both its halves take part.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash(Ipv4Key key, ulong seed, ulong multiplier)
    {
        ulong high = Math.BigMul(key._value ^ seed, multiplier, out ulong low);
        return high ^ low;
    }
}
