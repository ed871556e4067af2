namespace FlannelFast.Lab.Traffic;

/// <summary>Result of rtt-probe.</summary>
internal sealed record RttProbeResult : AgentResult
{
    /// <summary>Bytes of UDP payload each way.</summary>
    public int Size { get; init; }

    /// <summary>Nanoseconds between two requests; they do not wait for answers.</summary>
    public long IntervalNs { get; init; }

    public long Sent { get; init; }

    /// <summary>Requests without an answer within a second after the last request.</summary>
    public long Lost { get; init; }

    /// <summary>Answers that came after the answer to a later request.</summary>
    public long Reordered { get; init; }

    public long Duplicate { get; init; }

    /// <summary>The furthest that a request left behind its place in the schedule: the machine's own lateness, not the path's.</summary>
    public long LatestNs { get; init; }

    /// <summary>From before the send to after the receive, first answers only.</summary>
    public required LatencySummary Rtt { get; init; }
}
