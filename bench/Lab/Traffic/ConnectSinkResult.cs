namespace FlannelFast.Lab.Traffic;

/// <summary>Result of connect-sink: connections it answered.</summary>
internal sealed record ConnectSinkResult : AgentResult
{
    /// <summary>Connections served to the end.</summary>
    public long Connections { get; init; }
}
