using System.Text;

namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>
/// Writes the fields of one protobuf message. Values that are the default (0, false, empty) are left out as proto3 does; a member of a oneof
/// is written by <see cref="WriteMember"/>, where leaving out would mean another member. Not safe for concurrent use.
/// </summary>
internal sealed class ProtobufWriter
{
    private byte[] _buffer = new byte[256];
    private int _length;

    /// <summary>What was written; valid until the next write.</summary>
    internal ReadOnlyMemory<byte> Written => _buffer.AsMemory(0, _length);

    internal void Write(int field, long value)
    {
        if (value != 0) WriteMember(field, value);
    }

    internal void Write(int field, bool value) => Write(field, value ? 1 : 0);

    internal void Write(int field, string value) => Write(field, Encoding.UTF8.GetBytes(value));

    internal void Write(int field, ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return;
        Tag(field, WireType.Bytes);
        Varint((ulong)value.Length);
        value.CopyTo(Reserve(value.Length));
        _length += value.Length;
    }

    /// <summary>Writes an integer also if it is 0.</summary>
    internal void WriteMember(int field, long value)
    {
        Tag(field, WireType.Varint);
        Varint((ulong)value);
    }

    /// <summary>Writes a message within the message, also if it is empty.</summary>
    internal void Write(int field, IProtobufMessage message)
    {
        Tag(field, WireType.Bytes);
        int start = _length;
        message.WriteTo(this);
        // The length stands before the content and has a length of its own: the content, never more than some kilobytes, makes room.
        int content = _length - start;
        Varint((ulong)content);
        int prefix = _length - start - content;
        Span<byte> moved = _buffer.AsSpan(start, content + prefix);
        Span<byte> length = stackalloc byte[prefix];
        moved[content..].CopyTo(length);
        moved[..content].CopyTo(moved[prefix..]);
        length.CopyTo(moved);
    }

    private void Tag(int field, WireType type) => Varint(((ulong)field << 3) | (ulong)type);

    private void Varint(ulong value)
    {
        Span<byte> room = Reserve(10);
        int written = 0;
        for (; value >= 0x80; value >>= 7) room[written++] = (byte)(value | 0x80);
        room[written++] = (byte)value;
        _length += written;
    }

    private Span<byte> Reserve(int length)
    {
        if (_buffer.Length - _length < length) Array.Resize(ref _buffer, Math.Max(2 * _buffer.Length, _length + length));
        return _buffer.AsSpan(_length);
    }
}
