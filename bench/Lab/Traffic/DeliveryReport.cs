namespace FlannelFast.Lab.Traffic;

/// <summary>What a udp-sink counted of one sender; as it travels.</summary>
internal struct DeliveryReport
{
    internal ProbeHeader Header;
    internal long Unique;
    internal long Duplicate;
    internal long Reordered;
    internal long ReorderDistance;
    internal long Stale;
    internal long Invalid;
    internal long Bytes;

    /// <summary>Nanoseconds from the first to the last arrival.</summary>
    internal long Elapsed;

    /// <summary>Datagrams of any sender that the sink's socket had no room for since the sender said hello.</summary>
    internal long SocketDrops;
}
