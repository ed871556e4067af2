using System.Runtime.CompilerServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>
/// IPv4 lookup where all peer subnets have one size, as flannel deals them out: the subnet's number within the range they span
/// is the index of an array. One load; 4 bytes for each subnet number of the range.
/// </summary>
internal readonly struct Ipv4SubnetIndex
{
    /// <summary>The largest range: 4 MiB, all /24s of a /4 or all /28s of a /8.</summary>
    internal const int MaxSubnets = 1 << 20;

    private readonly int[] _peersPlusOne;
    private readonly uint _first;
    private readonly int _shift;

    private Ipv4SubnetIndex(int[] peersPlusOne, uint first, int shift) => (_peersPlusOne, _first, _shift) = (peersPlusOne, first, shift);

    /// <summary>An index that finds nothing.</summary>
    internal static Ipv4SubnetIndex Empty => new([], 0, 0);

    /// <summary>Makes the index; false when the routes differ in length or lie too far apart.</summary>
    internal static bool TryBuild(ReadOnlySpan<Ipv4Route> routes, out Ipv4SubnetIndex index)
    {
        index = Empty;
        if (routes.IsEmpty) return true;
        int length = routes[0].Length;
        uint first = uint.MaxValue, last = 0;
        foreach (Ipv4Route route in routes)
        {
            if (route.Length != length) return false;
            first = Math.Min(first, route.First);
            last = Math.Max(last, route.First);
        }
        int shift = 32 - length;
        uint lastIndex = (last - first) >> shift;
        if (lastIndex >= MaxSubnets) return false;

        var peersPlusOne = new int[lastIndex + 1];
        foreach (Ipv4Route route in routes) peersPlusOne[(route.First - first) >> shift] = route.Peer + 1;
        index = new(peersPlusOne, first, shift);
        return true;
    }

    /// <summary>The peer that owns a destination in host order, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Find(uint destination)
    {
        int[] peersPlusOne = _peersPlusOne;
        // Below _first the subtraction wraps around to an index beyond the array: subnet numbers are unique modulo 2^length.
        uint index = (destination - _first) >> _shift;
        return index < (uint)peersPlusOne.Length ? peersPlusOne[index] - 1 : -1;
    }
}
