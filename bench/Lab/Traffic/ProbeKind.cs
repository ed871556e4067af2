namespace FlannelFast.Lab.Traffic;

/// <summary>What a datagram of the lab is for.</summary>
internal enum ProbeKind : uint
{
    /// <summary>A source introduces itself; answered with the same.</summary>
    Hello,

    /// <summary>Counted.</summary>
    Data,

    /// <summary>Sequence is the number sent; answered with <see cref="DeliveryReport"/>.</summary>
    Report,

    /// <summary>Sent back as <see cref="EchoReply"/>.</summary>
    EchoRequest,

    /// <summary>The answer, otherwise unchanged.</summary>
    EchoReply,

    /// <summary>Payload of the integrity check; the sequence says what must be inside.</summary>
    HashData,

    /// <summary>Sequence is the first of a window; answered with a bit per datagram that arrived.</summary>
    HashQuery,

    /// <summary>Answered with the digest over everything.</summary>
    HashDigest,
}
