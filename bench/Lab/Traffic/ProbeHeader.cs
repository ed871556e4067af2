namespace FlannelFast.Lab.Traffic;

/// <summary>
/// The first 32 bytes of every datagram of the lab, written as the processor orders them: both ends of a measurement are the
/// same binary, and all machines it is built for are little-endian.
/// </summary>
internal struct ProbeHeader
{
    /// <summary>Bytes, and the least size of a datagram.</summary>
    internal const int Size = 32;

    /// <summary>The largest UDP payload over IPv4.</summary>
    internal const int MaxDatagram = 65_507;

    private const uint ExpectedMagic = 0x544c4646;

    /// <summary>Tells our datagrams from strays.</summary>
    internal uint Magic;

    /// <summary>What it is for.</summary>
    internal ProbeKind Kind;

    /// <summary>Chosen at random by each source.</summary>
    internal ulong Sender;

    /// <summary>Sequence number from 0, or what the kind says.</summary>
    internal ulong Sequence;

    /// <summary>When it was sent, on the sender's clock.</summary>
    internal long Stamp;

    internal readonly bool IsOurs => Magic == ExpectedMagic;

    internal static ProbeHeader Create(ProbeKind kind, ulong sender, ulong sequence) =>
        new() { Magic = ExpectedMagic, Kind = kind, Sender = sender, Sequence = sequence };
}
