using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>Walks the messages of one datagram. Any bytes whatever are safe: it never reads beyond them and always ends.</summary>
internal ref struct NetlinkMessageReader(ReadOnlySpan<byte> datagram)
{
    private ReadOnlySpan<byte> _rest = datagram;

    /// <summary>True after the last message if something is left that is no whole message.</summary>
    internal readonly bool IsMalformed => !_rest.IsEmpty;

    /// <summary>Takes the next message; false at the end, or where the bytes stop making sense.</summary>
    internal bool TryRead(out NetlinkMessage message)
    {
        message = default;
        if (!MemoryMarshal.TryRead(_rest, out nlmsghdr header)) return false;
        if (header.nlmsg_len < Libc.NLMSG_HDRLEN || header.nlmsg_len > (uint)_rest.Length) return false;
        int length = (int)header.nlmsg_len;
        message = new(header, _rest[Libc.NLMSG_HDRLEN..length]);
        // The last message of a datagram need not be padded.
        _rest = _rest[Math.Min(NetlinkAlignment.Up(length), _rest.Length)..];
        return true;
    }
}
