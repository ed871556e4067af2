namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// Datagrams for one peer, one behind the other in one buffer: equal lengths, only the last may be shorter. What
/// UDP_SEGMENT sends as one message.
/// </summary>
internal unsafe struct SendRun
{
    /// <summary>Start of the run's fixed buffer of <see cref="SendBatch{TPort}.RunCapacity"/> bytes.</summary>
    internal byte* Buffer;

    /// <summary>Bytes filled.</summary>
    internal int Length;

    /// <summary>Length of every datagram but perhaps the last.</summary>
    internal int SegmentSize;

    /// <summary>Datagrams filled.</summary>
    internal int Segments;

    /// <summary>The receiving endpoint: index into the peer table the batch was filled with.</summary>
    internal int Endpoint;

    /// <summary>The source port to leave from.</summary>
    internal int Source;

    /// <summary>A shorter datagram ended the run, or it is full.</summary>
    internal bool Closed;

    /// <summary>Made by the engine itself (ICMP errors): not part of "received = forwarded + drops".</summary>
    internal bool Originated;
}
