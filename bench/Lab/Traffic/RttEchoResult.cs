namespace FlannelFast.Lab.Traffic;

/// <summary>Result of rtt-echo.</summary>
internal sealed record RttEchoResult : AgentResult
{
    /// <summary>Requests answered.</summary>
    public long Answered { get; init; }
}
