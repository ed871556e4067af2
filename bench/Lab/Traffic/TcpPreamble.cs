using System.Buffers.Binary;
using System.Text;

namespace FlannelFast.Lab.Traffic;

/// <summary>What a connection is for: its first 64 bytes, sent by the source.</summary>
/// <param name="Kind">Purpose.</param>
/// <param name="Run">Which run of a source it belongs to.</param>
/// <param name="Streams">How many data streams the run has, 1 to 1,024.</param>
/// <param name="Nanoseconds">How long a reverse stream sends.</param>
/// <param name="Congestion">Congestion control for reverse streams.</param>
internal readonly record struct TcpPreamble(TcpPreambleKind Kind, ulong Run, int Streams, long Nanoseconds, string Congestion)
{
    /// <summary>Bytes on the wire.</summary>
    internal const int Size = 64;

    /// <summary>Greatest length of a congestion control's name, with its end (TCP_CA_NAME_MAX).</summary>
    internal const int CongestionSize = 16;

    // "FFLT": a stray connection is told from one of ours.
    private const uint Magic = 0x46464c54;

    internal byte[] ToBytes()
    {
        byte[] bytes = new byte[Size];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Magic);
        bytes[4] = (byte)Kind;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), Streams);
        BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(16), Run);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(24), Nanoseconds);
        Encoding.ASCII.GetBytes(Congestion, bytes.AsSpan(32, CongestionSize));
        return bytes;
    }

    /// <summary>Null if it is not one of ours.</summary>
    internal static TcpPreamble? Parse(ReadOnlySpan<byte> bytes)
    {
        var kind = (TcpPreambleKind)bytes[4];
        int streams = BinaryPrimitives.ReadInt32BigEndian(bytes[8..]);
        long time = BinaryPrimitives.ReadInt64BigEndian(bytes[24..]);
        if (BinaryPrimitives.ReadUInt32BigEndian(bytes) != Magic || kind > TcpPreambleKind.Reverse) return null;
        if (streams is < 1 or > 1024 || time is < 0 or > 86_400 * Clock.Second) return null;
        string congestion = Encoding.ASCII.GetString(bytes.Slice(32, CongestionSize)).TrimEnd('\0');
        return new TcpPreamble(kind, BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]), streams, time, congestion);
    }
}
