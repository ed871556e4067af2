namespace FlannelFast.Lab.Traffic;

/// <summary>One direction of TCP streams.</summary>
/// <param name="BytesSent">Taken by the sender's kernel.</param>
/// <param name="BytesReceived">Read by the receiver.</param>
/// <param name="BitsPerSecond">Payload received, over the time between the first and the last arrival.</param>
/// <param name="ElapsedNs">That time.</param>
/// <param name="Retransmits">Segments sent again.</param>
internal sealed record TcpDirection(long BytesSent, long BytesReceived, double BitsPerSecond, long ElapsedNs, long Retransmits)
{
    /// <summary>Joins what the two ends counted.</summary>
    internal static TcpDirection From(StreamCounters sender, StreamCounters receiver) =>
        new(sender.BytesSent, receiver.BytesReceived, receiver.BitsPerSecond, receiver.Elapsed, sender.Retransmits);
}
