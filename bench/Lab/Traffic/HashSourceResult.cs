namespace FlannelFast.Lab.Traffic;

/// <summary>Result of hash-source.</summary>
internal sealed record HashSourceResult : AgentResult
{
    /// <summary>"tcp" or "udp".</summary>
    public required string Protocol { get; init; }

    public long Bytes { get; init; }

    /// <summary>From the first packet to the sink's last answer.</summary>
    public double Seconds { get; init; }

    /// <summary>Everything arrived and nothing was changed: both digests are equal and no datagram was corrupt.</summary>
    public bool Intact { get; init; }

    /// <summary>SHA-256 of what was sent, hexadecimal.</summary>
    public required string Sent { get; init; }

    /// <summary>SHA-256 of what arrived, hexadecimal.</summary>
    public required string Received { get; init; }

    /// <summary>Datagrams that arrived with wrong content (UDP).</summary>
    public long Corrupt { get; init; }

    /// <summary>Datagrams sent again because they did not arrive intact (UDP).</summary>
    public long Repeated { get; init; }
}
