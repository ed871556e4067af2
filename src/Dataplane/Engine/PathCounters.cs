namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// The counters of one direction, in native memory of its worker: written by that thread only, read racily by reporters
/// (64-bit loads are atomic). The meaning of each is in <see cref="PathStatus"/>.
/// </summary>
internal unsafe struct PathCounters
{
    internal long Packets;
    internal long Bytes;
    internal long Reads;
    internal long Forwarded;
    internal long ForwardedBytes;
    internal long Writes;
    private fixed long _drops[DropReasons.Count];

    internal void Drop(DropReason reason, long packets = 1) => _drops[(int)reason] += packets;

    internal readonly long Drops(DropReason reason) => _drops[(int)reason];

    internal readonly PathStatus Read()
    {
        var drops = new Dictionary<string, long>();
        foreach (DropReasonInfo row in DropReasons.All)
        {
            if (_drops[(int)row.Reason] is > 0 and long count) drops.Add(row.Name, count);
        }
        return new(Packets, Bytes, Reads, Forwarded, ForwardedBytes, Writes, drops);
    }
}
