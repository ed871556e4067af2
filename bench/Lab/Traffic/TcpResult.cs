namespace FlannelFast.Lab.Traffic;

/// <summary>Result of tcp-source; the sink's has the totals over all its runs.</summary>
internal sealed record TcpResult : AgentResult
{
    public int Streams { get; init; }

    /// <summary>Nominal duration; 0 for the sink.</summary>
    public long DurationNs { get; init; }

    /// <summary>Congestion control as the kernel read it back at the source, or at the first stream of the sink; null without any stream.</summary>
    public string? Congestion { get; init; }

    /// <summary>Complete runs.</summary>
    public int Runs { get; init; }

    /// <summary>From the source to the sink.</summary>
    public required TcpDirection Forward { get; init; }

    /// <summary>From the sink to the source; null without --bidirectional.</summary>
    public TcpDirection? Reverse { get; init; }
}
