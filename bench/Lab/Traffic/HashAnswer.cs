namespace FlannelFast.Lab.Traffic;

/// <summary>The answer to a hash query, and to the question for the digest.</summary>
internal unsafe struct HashAnswer
{
    internal ProbeHeader Header;

    /// <summary>Bit i: datagram i of the window has arrived intact.</summary>
    internal ulong Arrived;

    /// <summary>Datagrams of this run whose content or length was wrong.</summary>
    internal long Corrupt;

    /// <summary>Payload bytes hashed.</summary>
    internal long Bytes;

    /// <summary>SHA-256 over all payload in order; valid in the answer to the last question.</summary>
    internal fixed byte Digest[32];
}
