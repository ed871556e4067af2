namespace FlannelFast.Lab.Traffic;

/// <summary>Result of hash-sink.</summary>
internal sealed record HashSinkResult : AgentResult
{
    /// <summary>Runs checked to their end.</summary>
    public long Runs { get; init; }

    public long Bytes { get; init; }

    /// <summary>Datagrams with wrong content.</summary>
    public long Corrupt { get; init; }
}
