using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>NLMSG_ALIGN and NLA_ALIGN of linux/netlink.h, which are the same.</summary>
internal static class NetlinkAlignment
{
    /// <summary>The next multiple of 4.</summary>
    internal static int Up(int length) => (length + Libc.NLMSG_ALIGNTO - 1) & -Libc.NLMSG_ALIGNTO;
}
