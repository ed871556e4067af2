namespace FlannelFast.Lab.Traffic;

/// <summary>
/// How an integrity check is cut into datagrams. All sizes up to the largest occur, because mistakes of segmentation and
/// coalescing show at odd ends: the last short segment, a payload of one byte, an odd length under a checksum.
/// </summary>
/// <param name="Seed">Also names the run.</param>
/// <param name="Total">Payload bytes, 1 and more.</param>
/// <param name="MaxPayload">Largest payload of one datagram behind the header.</param>
internal readonly record struct HashPlan(ulong Seed, long Total, int MaxPayload)
{
    /// <summary>Datagrams per window; one bit each in the answer.</summary>
    internal const int Window = 32;

    /// <summary>Datagrams that can be sent as one at most: equal ones and a shorter one behind them.</summary>
    internal const int Run = 4;

    /// <summary>Three in four datagrams are of the greatest size, so that runs of equal ones form; every fourth is of another.</summary>
    internal int Length(ulong sequence) =>
        sequence % Run != Run - 1 ? MaxPayload : 1 + (int)(sequence / Run * 7919 % (ulong)MaxPayload);
}
