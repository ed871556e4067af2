namespace FlannelFast.Lab.Traffic;

/// <summary>One run of a source, as the sink keeps it.</summary>
/// <param name="Deadline">When everything of it must be over.</param>
internal sealed record TcpRun(long Deadline)
{
    /// <summary>Streams from the source.</summary>
    internal StreamCounters Forward { get; } = new();

    /// <summary>Streams to the source.</summary>
    internal StreamCounters Reverse { get; } = new();
}
