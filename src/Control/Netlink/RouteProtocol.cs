using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>Who made a route (RTPROT_… of linux/rtnetlink.h); numbers above 4 belong to routing daemons and users.</summary>
internal enum RouteProtocol : byte
{
    /// <summary>In a deletion: whoever made it.</summary>
    Unspecified = Libc.RTPROT_UNSPEC,
    Redirect = Libc.RTPROT_REDIRECT,
    Kernel = Libc.RTPROT_KERNEL,

    /// <summary>What ip(8) and flannel write.</summary>
    Boot = Libc.RTPROT_BOOT,

    /// <summary>Set by an administrator to stay; routing daemons leave it alone.</summary>
    Static = Libc.RTPROT_STATIC,
}
