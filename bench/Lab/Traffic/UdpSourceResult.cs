namespace FlannelFast.Lab.Traffic;

/// <summary>Result of udp-source: what it sent, and what of it the sink received.</summary>
internal sealed record UdpSourceResult : AgentResult
{
    /// <summary>Bytes of UDP payload per datagram.</summary>
    public int Size { get; init; }

    /// <summary>Datagrams per second asked for; null under --flood.</summary>
    public long? Rate { get; init; }

    public long Sent { get; init; }

    public double SentPps { get; init; }

    /// <summary>Nanoseconds spent sending.</summary>
    public long ElapsedNs { get; init; }

    /// <summary>Places in the schedule given up because the sender was held up for more than 5 ms; not sent and not lost.</summary>
    public long Skipped { get; init; }

    /// <summary>Sends that the kernel refused for the moment (ENOBUFS, an ICMP error) and that were repeated.</summary>
    public long SendErrors { get; init; }

    /// <summary>Different datagrams that arrived.</summary>
    public long Delivered { get; init; }

    /// <summary>Arrivals per second between the first and the last.</summary>
    public double DeliveredPps { get; init; }

    /// <summary>UDP payload that arrived, duplicates included.</summary>
    public double DeliveredBitsPerSecond { get; init; }

    public long Lost { get; init; }

    /// <summary>Lost / sent.</summary>
    public double Loss { get; init; }

    /// <summary>Arrived after a later one (RFC 4737).</summary>
    public long Reordered { get; init; }

    /// <summary>Furthest that one came behind, in sequence numbers.</summary>
    public long ReorderDistance { get; init; }

    public long Duplicate { get; init; }

    /// <summary>Too late to tell whether they are duplicates.</summary>
    public long Stale { get; init; }

    /// <summary>Datagrams the sink's own socket had no room for: these are part of <see cref="Lost"/>.</summary>
    public long SinkSocketDrops { get; init; }
}
