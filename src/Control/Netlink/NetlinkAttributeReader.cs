using System.Runtime.InteropServices;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>Walks a row of attributes. Any bytes whatever are safe: it never reads beyond them and always ends.</summary>
internal ref struct NetlinkAttributeReader(ReadOnlySpan<byte> attributes)
{
    private ReadOnlySpan<byte> _rest = attributes;

    /// <summary>True after the last attribute if something is left that is no whole attribute.</summary>
    internal readonly bool IsMalformed => !_rest.IsEmpty;

    /// <summary>Takes the next attribute; false at the end, or where the bytes stop making sense.</summary>
    internal bool TryRead(out NetlinkAttribute attribute)
    {
        attribute = default;
        if (!MemoryMarshal.TryRead(_rest, out nlattr header)) return false;
        if (header.nla_len < Libc.NLA_HDRLEN || header.nla_len > _rest.Length) return false;
        attribute = new(header.nla_type & Libc.NLA_TYPE_MASK, _rest[Libc.NLA_HDRLEN..header.nla_len]);
        _rest = _rest[Math.Min(NetlinkAlignment.Up(header.nla_len), _rest.Length)..];
        return true;
    }
}
