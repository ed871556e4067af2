using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using FlannelFast.Dataplane.Packets;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// One attribute: a view into the receive buffer, valid until the next receive. The kernel may lengthen an attribute in
/// a later version and never shortens one, so numbers are read from the first bytes of a value that is long enough.
/// </summary>
internal readonly ref struct NetlinkAttribute(int type, ReadOnlySpan<byte> value)
{
    /// <summary>The type without NLA_F_NESTED and NLA_F_NET_BYTEORDER.</summary>
    internal int Type { get; } = type;

    internal ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>The attributes inside this one.</summary>
    internal NetlinkAttributeReader Nested => new(Value);

    /// <summary>The text before the first zero byte, or all of it.</summary>
    internal string Text
    {
        get
        {
            int end = Value.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? Value : Value[..end]);
        }
    }

    /// <summary>Reads a number in host byte order; leaves <paramref name="number"/> alone if the value is too short.</summary>
    internal bool TryRead<T>(ref T number)
        where T : unmanaged
    {
        if (Value.Length < Unsafe.SizeOf<T>()) return false;
        number = MemoryMarshal.Read<T>(Value);
        return true;
    }

    /// <summary>Reads an Ethernet address; leaves <paramref name="mac"/> alone if the value is none.</summary>
    internal bool TryReadMac(ref MacAddress mac)
    {
        if (Value.Length != MacAddress.Size) return false;
        mac = MacAddress.Read(Value);
        return true;
    }

    /// <summary>Reads an address of the family whose addresses have <paramref name="size"/> bytes, 4 or 16.</summary>
    internal bool TryRead(int size, [NotNullWhen(true)] ref IPAddress? address)
    {
        if (Value.Length != size || size is not (4 or 16)) return false;
        address = new(Value);
        return true;
    }
}
