using System.Buffers.Binary;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// What the receivers and the senders of one direction of TCP streams counted at one end. Bits per second are those between the first and
/// the last arrival over all streams, so neither connecting nor waiting for the figures dilutes them.
/// </summary>
internal sealed class StreamCounters
{
    /// <summary>Bytes of <see cref="Write"/>.</summary>
    internal const int Size = 48;

    private readonly Lock _lock = new();
    private long _first = long.MaxValue;
    private long _last = long.MinValue;

    internal long BytesReceived { get; private set; }

    internal long BytesSent { get; private set; }

    internal long Retransmits { get; private set; }

    /// <summary>Streams that ended in order.</summary>
    internal int Finished { get; private set; }

    /// <summary>Nanoseconds from the first to the last arrival.</summary>
    internal long Elapsed => _last > _first ? _last - _first : 0;

    internal double BitsPerSecond => Elapsed > 0 ? BytesReceived * 8e9 / Elapsed : 0;

    /// <summary>One stream was received to its end.</summary>
    internal void AddReceived(long bytes, long first, long last)
    {
        lock (_lock)
        {
            BytesReceived += bytes;
            if (bytes > 0) (_first, _last) = (Math.Min(_first, first), Math.Max(_last, last));
            Finished++;
        }
    }

    /// <summary>One stream was sent to its end.</summary>
    internal void AddSent(long bytes, long retransmits)
    {
        lock (_lock)
        {
            BytesSent += bytes;
            Retransmits += retransmits;
            Finished++;
        }
    }

    internal void Write(Span<byte> destination)
    {
        lock (_lock)
        {
            ReadOnlySpan<long> values = [BytesReceived, BytesSent, Retransmits, Finished, _first, _last];
            for (int i = 0; i < values.Length; i++) BinaryPrimitives.WriteInt64BigEndian(destination[(8 * i)..], values[i]);
        }
    }

    internal static StreamCounters Read(ReadOnlySpan<byte> source) => new()
    {
        BytesReceived = BinaryPrimitives.ReadInt64BigEndian(source),
        BytesSent = BinaryPrimitives.ReadInt64BigEndian(source[8..]),
        Retransmits = BinaryPrimitives.ReadInt64BigEndian(source[16..]),
        Finished = (int)BinaryPrimitives.ReadInt64BigEndian(source[24..]),
        _first = BinaryPrimitives.ReadInt64BigEndian(source[32..]),
        _last = BinaryPrimitives.ReadInt64BigEndian(source[40..]),
    };
}
