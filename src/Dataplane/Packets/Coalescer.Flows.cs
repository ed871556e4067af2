namespace FlannelFast.Dataplane.Packets;

/// <remarks>
/// Items are numbered through for the life of the object; the first of a burst has <c>_firstSerial</c>. One such number in a
/// table says both which item is meant and whether the entry is of this burst, so nothing is cleared between bursts.
/// </remarks>
internal sealed unsafe partial class Coalescer
{
    // Bounds the work per packet whatever the flows are. A flow that finds no slot stays unmerged for the burst: slots never
    // become free within one, so none of its packets can be merged past another.
    private const int MaxProbes = 8;
    private const int BarrierSlots = 256;

    /// <summary>Newest item of a flow. The key is not stored: it is in the packet that leads the item, in bytes never rewritten.</summary>
    private readonly long[] _flowSlots;

    /// <summary>
    /// By hash of sender and receiver: items before this one are closed. Kept by pair, so that fragments or pings of one host
    /// do not end the merging of all others; two pairs in one slot cost a merge, never the order.
    /// </summary>
    private readonly long[] _barriers;

    private readonly ulong _seed0;
    private readonly ulong _seed1;
    private long _firstSerial = 1;

    /// <summary>The slot of a flow or a free one, -1 if there is neither.</summary>
    /// <param name="segment">A packet of the flow.</param>
    /// <param name="newest">The flow's newest item, -1 if it has none.</param>
    private int FindFlow(in Segment segment, out int newest)
    {
        int mask = _flowSlots.Length - 1;
        // Not the hash itself: for one seed in a hundred more than a hundredth of 4,096 flows found no slot, for some more than half.
        uint home = FlowHash.Spread(segment.FlowHash);
        for (int probe = 0; probe < MaxProbes; probe++)
        {
            int slot = (int)(home + (uint)probe) & mask;
            long serial = _flowSlots[slot];
            newest = (int)(serial - _firstSerial);
            if (serial < _firstSerial)
            {
                newest = -1;
                return slot;
            }
            if (IsSameFlow(_items[newest].Packet, in segment)) return slot;
        }
        newest = -1;
        return -1;
    }

    private void CloseFlow(in Segment segment)
    {
        _ = FindFlow(in segment, out int newest);
        if (newest >= 0) _items[newest].IsOpen = false;
    }

    private void RaiseBarrier(in Segment segment) => BarrierOf(in segment) = _firstSerial + _itemCount;

    private bool IsBehindBarrier(int item, in Segment segment) => _firstSerial + item < BarrierOf(in segment);

    private ref long BarrierOf(in Segment segment) => ref _barriers[FlowHash.Spread(segment.PairHash) & BarrierSlots - 1];

    private static bool IsSameFlow(byte* other, in Segment segment)
    {
        byte* packet = segment.Packet;
        if (Ipv4.Version(other) != Ipv4.Version(packet)) return false;
        if (segment.IsIpv4)
        {
            return Wire.ReadRaw64(other + Ipv4.SourceOffset) == Wire.ReadRaw64(packet + Ipv4.SourceOffset)
                && Udp.Ports(other + Ipv4.MinHeaderLength) == Udp.Ports(packet + Ipv4.MinHeaderLength)
                && Ipv4.Protocol(other) == segment.Protocol;
        }
        return new ReadOnlySpan<byte>(other + Ipv6.SourceOffset, 2 * Ipv6.AddressLength + sizeof(uint))
                .SequenceEqual(new(packet + Ipv6.SourceOffset, 2 * Ipv6.AddressLength + sizeof(uint)))
            && Ipv6.NextHeader(other) == segment.Protocol;
    }
}
