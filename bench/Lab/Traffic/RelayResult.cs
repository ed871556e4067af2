namespace FlannelFast.Lab.Traffic;

/// <summary>Result of relay: frames, both directions together.</summary>
internal sealed record RelayResult : AgentResult
{
    /// <summary>Went on, second copies included.</summary>
    public long Forwarded { get; init; }

    /// <summary>Vanished as asked for.</summary>
    public long Lost { get; init; }

    /// <summary>Skipped the delay.</summary>
    public long Reordered { get; init; }

    /// <summary>Second copies.</summary>
    public long Duplicated { get; init; }

    /// <summary>Frames that the relay had no room for: this loss nobody asked for.</summary>
    public long Overflowed { get; init; }
}
