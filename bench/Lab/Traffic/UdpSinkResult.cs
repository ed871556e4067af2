namespace FlannelFast.Lab.Traffic;

/// <summary>Result of udp-sink: totals over all senders.</summary>
internal sealed record UdpSinkResult : AgentResult
{
    public int Senders { get; init; }

    /// <summary>Different datagrams that arrived.</summary>
    public long Unique { get; init; }

    /// <summary>Sent and not arrived, of the senders that said how many they sent.</summary>
    public long Lost { get; init; }

    /// <summary>Arrived after a later one (RFC 4737).</summary>
    public long Reordered { get; init; }

    public long Duplicate { get; init; }

    /// <summary>Too late to tell whether they are duplicates.</summary>
    public long Stale { get; init; }

    /// <summary>Datagrams the sink's own socket had no room for: lost by the instrument's receiver, after the path.</summary>
    public long SocketDrops { get; init; }

    /// <summary>Datagrams that are none of the lab's, or of a sender that did not introduce itself.</summary>
    public long Foreign { get; init; }
}
