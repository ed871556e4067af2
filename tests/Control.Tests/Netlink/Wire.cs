using System.Buffers.Binary;
using System.Text;

namespace FlannelFast.Control.Tests.Netlink;

/// <summary>
/// Netlink bytes the slow and obvious way, field by field from the C structs: the twin of NetlinkMessageBuilder. Numbers
/// are in host order, which is little-endian on every system the project runs on.
/// </summary>
internal static class Wire
{
    internal static byte[] U8(params byte[] values) => values;

    internal static byte[] U16(ushort value) => [(byte)value, (byte)(value >> 8)];

    internal static byte[] U32(uint value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];

    internal static byte[] Text(string value) => [.. Encoding.ASCII.GetBytes(value), 0];

    internal static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    /// <summary>struct nlmsghdr { u32 len; u16 type; u16 flags; u32 seq; u32 pid; } and what follows.</summary>
    internal static byte[] Message(ushort type, ushort flags, uint sequence, params byte[][] parts)
    {
        byte[] payload = Join(parts);
        return Join(U32((uint)(16 + payload.Length)), U16(type), U16(flags), U32(sequence), U32(0), payload);
    }

    /// <summary>struct nlattr { u16 len; u16 type; }, the value, and zeros up to a multiple of 4 that the length does not count.</summary>
    internal static byte[] Attribute(ushort type, params byte[][] value)
    {
        byte[] bytes = Join(value);
        return Join(U16((ushort)(4 + bytes.Length)), U16(type), bytes, new byte[(4 - bytes.Length % 4) % 4]);
    }

    /// <summary>struct ifinfomsg { u8 family; u8 pad; u16 type; s32 index; u32 flags; u32 change; }.</summary>
    internal static byte[] LinkHeader(int index, uint flags = 0, uint change = 0, byte family = 0) =>
        Join(U8(family, 0), U16(0), U32((uint)index), U32(flags), U32(change));

    /// <summary>struct nlmsgerr { s32 error; struct nlmsghdr msg; } as a message.</summary>
    internal static byte[] Acknowledge(byte[] request, int errno) =>
        Message(2, 0x100, SequenceOf(request), U32((uint)-errno), request[..16]);

    /// <summary>The end of a dump: NLMSG_DONE with the number 0.</summary>
    internal static byte[] Done(byte[] request, ushort flags = 2, int errno = 0) =>
        Message(3, flags, SequenceOf(request), U32((uint)-errno));

    /// <summary>The messages of a datagram.</summary>
    internal static List<byte[]> Split(byte[] datagram)
    {
        List<byte[]> messages = [];
        for (int at = 0, length; at < datagram.Length; at += length)
        {
            length = BinaryPrimitives.ReadInt32LittleEndian(datagram.AsSpan(at));
            messages.Add(datagram[at..(at + length)]);
        }
        return messages;
    }

    internal static ushort TypeOf(byte[] request) => BinaryPrimitives.ReadUInt16LittleEndian(request.AsSpan(4));

    internal static ushort FlagsOf(byte[] request) => BinaryPrimitives.ReadUInt16LittleEndian(request.AsSpan(6));

    internal static uint SequenceOf(byte[] request) => BinaryPrimitives.ReadUInt32LittleEndian(request.AsSpan(8));
}
