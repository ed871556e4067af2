using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>
/// Messages on a stream: one byte of flags, four of length (big-endian), the message ("Length-Prefixed-Message" in PROTOCOL-HTTP2.md of grpc/grpc).
/// </summary>
internal static class GrpcFrame
{
    internal const int HeaderSize = 5;

    /// <summary>Largest message accepted: the default of every gRPC implementation, and more than twice what one etcd key can hold.</summary>
    internal const int MaxMessageSize = 4 << 20;

    /// <summary>A message as it goes on the wire.</summary>
    internal static byte[] Encode(IProtobufMessage message)
    {
        ProtobufWriter writer = new();
        message.WriteTo(writer);
        byte[] frame = new byte[HeaderSize + writer.Written.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), writer.Written.Length);
        writer.Written.Span.CopyTo(frame.AsSpan(HeaderSize));
        return frame;
    }

    /// <summary>Reads the next message; null where the stream ends between two. At most <see cref="MaxMessageSize"/> is ever buffered for it.</summary>
    /// <exception cref="MessageTooLargeException">It is larger than accepted.</exception>
    /// <exception cref="InvalidDataException">It is compressed, cut short or malformed.</exception>
    internal static async ValueTask<T?> ReadAsync<T>(PipeReader reader, CancellationToken cancel)
        where T : class, IProtobufParsable<T>
    {
        while (true)
        {
            ReadResult read = await reader.ReadAsync(cancel).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = read.Buffer;
            if (TryTake(ref buffer, out ReadOnlySequence<byte> message))
            {
                T parsed = Parse<T>(message);
                reader.AdvanceTo(buffer.Start);
                return parsed;
            }
            if (read.IsCompleted) return buffer.IsEmpty ? null : throw new InvalidDataException("the stream ends within a message");
            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    /// <summary>Takes one message off the front, if all of it is there.</summary>
    internal static bool TryTake(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> message)
    {
        message = default;
        if (buffer.Length < HeaderSize) return false;
        Span<byte> header = stackalloc byte[HeaderSize];
        buffer.Slice(0, HeaderSize).CopyTo(header);
        // We never announce an encoding (grpc-accept-encoding), so that a compressed message is none we asked for.
        if (header[0] != 0) throw new InvalidDataException($"a message has the flags {header[0]:x2}: expected none, as compression was not agreed on");
        uint length = BinaryPrimitives.ReadUInt32BigEndian(header[1..]);
        if (length > MaxMessageSize) throw new MessageTooLargeException(length);
        if (buffer.Length < HeaderSize + length) return false;
        message = buffer.Slice(HeaderSize, length);
        buffer = buffer.Slice(message.End);
        return true;
    }

    private static T Parse<T>(ReadOnlySequence<byte> message)
        where T : class, IProtobufParsable<T>
    {
        if (message.IsSingleSegment) return T.Parse(message.FirstSpan);
        byte[] whole = ArrayPool<byte>.Shared.Rent((int)message.Length);
        try
        {
            message.CopyTo(whole);
            return T.Parse(whole.AsSpan(0, (int)message.Length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }
}
