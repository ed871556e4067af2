namespace FlannelFast.Lab.Traffic;

/// <summary>Result of bare: frames of one node.</summary>
internal sealed record BareResult : AgentResult
{
    /// <summary>Read from the TUN.</summary>
    public long Carried { get; init; }

    /// <summary>Refused by the socket or the TUN.</summary>
    public long Lost { get; init; }
}
