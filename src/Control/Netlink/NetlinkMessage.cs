using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>One message of a datagram. A view into the receive buffer: valid until the next receive.</summary>
internal readonly ref struct NetlinkMessage(nlmsghdr header, ReadOnlySpan<byte> payload)
{
    /// <summary>NLMSG_… or RTM_….</summary>
    internal ushort Type => Header.nlmsg_type;

    internal nlmsghdr Header { get; } = header;

    /// <summary>What follows the header, without padding.</summary>
    internal ReadOnlySpan<byte> Payload { get; } = payload;

    /// <summary>Splits the payload into its fixed struct and the attributes behind it; false if it is too short for the struct.</summary>
    internal bool TryRead<T>(out T body, out NetlinkAttributeReader attributes)
        where T : unmanaged
    {
        attributes = default;
        if (!MemoryMarshal.TryRead(Payload, out body)) return false;
        int rest = Math.Min(NetlinkAlignment.Up(Unsafe.SizeOf<T>()), Payload.Length);
        attributes = new(Payload[rest..]);
        return true;
    }
}
