using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// Writes one netlink message into memory of the caller: the header, the fixed struct of the message type, then attributes,
/// nested or not (netlink(7), rtnetlink(7)). Pass it by reference. What does not fit throws
/// <see cref="InvalidOperationException"/>: sizes are known when the code is written, so that is a defect, not a condition.
/// </summary>
internal ref struct NetlinkMessageBuilder
{
    private readonly Span<byte> _buffer;
    private int _length;

    /// <summary>Begins a message.</summary>
    /// <param name="buffer">Where the message is written; owned by the caller, need not be zero.</param>
    /// <param name="type">RTM_…</param>
    /// <param name="flags">NLM_F_… beside NLM_F_REQUEST, which every message gets.</param>
    internal NetlinkMessageBuilder(Span<byte> buffer, ushort type, int flags = 0)
    {
        _buffer = buffer;
        nlmsghdr header = new() { nlmsg_type = type, nlmsg_flags = (ushort)(Libc.NLM_F_REQUEST | flags) };
        Append(header);
    }

    /// <summary>Writes the fixed struct that the message type asks for, directly behind the header.</summary>
    internal void Append<T>(in T body)
        where T : unmanaged => MemoryMarshal.Write(Reserve(Unsafe.SizeOf<T>()), in body);

    internal void Add(int type, scoped ReadOnlySpan<byte> value)
    {
        if (value.Length > ushort.MaxValue - Libc.NLA_HDRLEN)
            throw new InvalidOperationException($"netlink attribute {type} of {value.Length} bytes is longer than its length field can say");
        Span<byte> place = Reserve(Libc.NLA_HDRLEN + value.Length);
        nlattr header = new() { nla_len = (ushort)(Libc.NLA_HDRLEN + value.Length), nla_type = (ushort)type };
        MemoryMarshal.Write(place, in header);
        value.CopyTo(place[Libc.NLA_HDRLEN..]);
    }

    internal void Add(int type, uint value) => Add(type, MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in value)));

    internal void Add(int type, int value) => Add(type, (uint)value);

    /// <summary>Text with its terminating zero.</summary>
    internal void Add(int type, string value)
    {
        Span<byte> text = stackalloc byte[256];
        if (!Encoding.UTF8.TryGetBytes(value, text[..^1], out int length))
            throw new InvalidOperationException($"netlink attribute {type} of {value.Length} characters is longer than {text.Length - 1} bytes");
        text[length] = 0;
        Add(type, text[..(length + 1)]);
    }

    /// <summary>4 or 16 bytes in network order.</summary>
    internal void Add(int type, IPAddress value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, out int length);
        Add(type, bytes[..length]);
    }

    /// <summary>Opens an attribute that holds attributes. Whether the type carries NLA_F_NESTED is the kernel family's custom: add it to the type.</summary>
    /// <returns>What <see cref="EndNested"/> needs to close it.</returns>
    internal int BeginNested(int type)
    {
        int start = _length;
        nlattr header = new() { nla_type = (ushort)type };
        MemoryMarshal.Write(Reserve(Libc.NLA_HDRLEN), in header);
        return start;
    }

    /// <summary>Closes what <see cref="BeginNested"/> opened; the innermost first.</summary>
    internal readonly void EndNested(int start)
    {
        int length = _length - start;
        if (length > ushort.MaxValue)
            throw new InvalidOperationException($"nested netlink attribute of {length} bytes is longer than its length field can say");
        ushort value = (ushort)length;
        MemoryMarshal.Write(_buffer[start..], in value);
    }

    /// <summary>The finished message, a part of the caller's buffer.</summary>
    internal readonly Span<byte> Finish()
    {
        uint length = (uint)_length;
        MemoryMarshal.Write(_buffer, in length);
        return _buffer[.._length];
    }

    private Span<byte> Reserve(int size)
    {
        int padded = NetlinkAlignment.Up(size);
        if (padded > _buffer.Length - _length)
            throw new InvalidOperationException($"netlink message does not fit its buffer: {_length + padded} bytes into {_buffer.Length}");
        Span<byte> place = _buffer.Slice(_length, padded);
        place[size..].Clear();
        _length += padded;
        return place[..size];
    }
}
