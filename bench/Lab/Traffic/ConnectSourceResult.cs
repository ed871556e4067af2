namespace FlannelFast.Lab.Traffic;

/// <summary>Result of connect-source.</summary>
internal sealed record ConnectSourceResult : AgentResult
{
    /// <summary>Threads that connected one after the other.</summary>
    public int Streams { get; init; }

    /// <summary>Connections answered.</summary>
    public long Connections { get; init; }

    /// <summary>Connections that failed or timed out.</summary>
    public long Failed { get; init; }

    public double ConnectionsPerSecond { get; init; }

    /// <summary>From connect(2) until the answer to the first byte was read.</summary>
    public required LatencySummary Latency { get; init; }
}
