using System.Runtime.CompilerServices;

namespace FlannelFast.Dataplane.Peers;

/// <summary>Our own subnet of each family, as mask and value. A family without a subnet has mask 0 and a value no masked address equals.</summary>
internal readonly struct LocalSubnets
{
    private readonly uint _mask4;
    private readonly uint _first4 = 1;
    private readonly ulong _maskHigh6, _maskLow6;
    private readonly ulong _firstHigh6, _firstLow6 = 1;

    internal LocalSubnets(ReadOnlySpan<Prefix> local)
    {
        foreach (Prefix subnet in local)
        {
            if (subnet.IsIpv6)
            {
                (_maskHigh6, _maskLow6) = ((ulong)(subnet.Mask >> 64), (ulong)subnet.Mask);
                (_firstHigh6, _firstLow6) = ((ulong)(subnet.First >> 64), (ulong)subnet.First);
            }
            else
            {
                (_mask4, _first4) = ((uint)subnet.Mask, (uint)subnet.First);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Contains(uint ipv4) => (ipv4 & _mask4) == _first4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Contains(UInt128 ipv6) =>
        ((((ulong)(ipv6 >> 64) & _maskHigh6) ^ _firstHigh6) | (((ulong)ipv6 & _maskLow6) ^ _firstLow6)) == 0;
}
