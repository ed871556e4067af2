namespace FlannelFast.Dataplane.Engine;

/// <summary>One message of the socket: a datagram, or a run of them that the kernel merged (UDP_GRO).</summary>
internal unsafe ref struct ReceivedMessage
{
    /// <summary>First byte of the payload; valid until the next receive.</summary>
    internal byte* Payload;

    /// <summary>Bytes of payload.</summary>
    internal int Length;

    /// <summary>Length of every datagram in the message but perhaps the last; the whole length when nothing was merged.</summary>
    internal int SegmentSize;

    /// <summary>The buffer was too small, or control data went missing: the message must not be used.</summary>
    internal bool Truncated;

    /// <summary>Sender, host order; for an IPv4 socket.</summary>
    internal uint SourceIpv4;

    /// <summary>Sender; for an IPv6 socket.</summary>
    internal UInt128 SourceIpv6;

    /// <summary>Sender's port.</summary>
    internal int SourcePort;
}
