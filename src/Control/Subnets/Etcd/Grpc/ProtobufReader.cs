using System.Text;

namespace FlannelFast.Control.Subnets.Etcd.Grpc;

/// <summary>
/// Reads the fields of one protobuf message from memory. Google.Protobuf was measured and refused: it adds 2.1 MB to the binary
/// (3.25.1, NativeAOT, one message) and its assembly gives trim warnings; etcd needs integers, booleans, bytes and nesting of depth three.
/// Never reads outside the message, allocates only what a caller asks for, and cannot recurse: an unknown field is stepped over.
/// </summary>
/// <param name="message">Owned by the caller.</param>
/// <example><c>while (reader.NextField()) switch (reader.Field) { case 1: …; default: reader.Skip(); }</c></example>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;
    private WireType _type;

    /// <summary>Number of the field whose value comes next.</summary>
    internal int Field { get; private set; }

    /// <summary>Goes on to the next field, after the value of the last one was read or skipped. False at the end.</summary>
    /// <exception cref="InvalidDataException">The message is malformed, here as in the other methods.</exception>
    internal bool NextField()
    {
        if (_rest.IsEmpty) return false;
        ulong tag = Varint();
        if (tag >> 3 is 0 or > (1 << 29) - 1) throw new InvalidDataException("a field number is out of range");
        Field = (int)(tag >> 3);
        _type = (WireType)(tag & 7);
        return true;
    }

    internal long ReadInt64() => (long)ReadUInt64();

    internal ulong ReadUInt64()
    {
        Expect(WireType.Varint);
        return Varint();
    }

    internal bool ReadBool() => ReadUInt64() != 0;

    /// <summary>A slice of the message: bytes, or a message within it.</summary>
    internal ReadOnlySpan<byte> ReadBytes()
    {
        Expect(WireType.Bytes);
        return Bytes();
    }

    /// <summary>Text; what is not UTF-8 in it is replaced.</summary>
    internal string ReadString() => Encoding.UTF8.GetString(ReadBytes());

    /// <summary>Steps over the value.</summary>
    internal void Skip()
    {
        switch (_type)
        {
            case WireType.Varint:
                Varint();
                break;
            case WireType.Bytes:
                Bytes();
                break;
            case WireType.Fixed64:
                Take(sizeof(ulong));
                break;
            case WireType.Fixed32:
                Take(sizeof(uint));
                break;
            default:
                // Groups left the language before etcd's messages were written, and are the only thing here that could nest without end.
                throw new InvalidDataException($"field {Field} has wire type {(int)_type}, which is not in use");
        }
    }

    private readonly void Expect(WireType type)
    {
        if (_type != type) throw new InvalidDataException($"field {Field} has wire type {(int)_type} instead of {(int)type}");
    }

    private ReadOnlySpan<byte> Bytes()
    {
        ulong length = Varint();
        return length <= (ulong)_rest.Length ? Take((int)length) : throw new InvalidDataException($"field {Field} is longer than its message");
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length) throw new InvalidDataException($"field {Field} is longer than its message");
        ReadOnlySpan<byte> taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int i = 0; i < _rest.Length && i < 10; i++)
        {
            value |= (ulong)(_rest[i] & 0x7f) << (7 * i);
            if ((_rest[i] & 0x80) != 0) continue;
            // The tenth byte has room for one bit.
            if (i == 9 && _rest[i] > 1) break;
            _rest = _rest[(i + 1)..];
            return value;
        }
        throw new InvalidDataException("an integer is cut short or too long");
    }
}
