using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>How far away a destination or an address is (RT_SCOPE_… of linux/rtnetlink.h). IPv6 routes always say Universe.</summary>
internal enum RouteScope : byte
{
    /// <summary>Anywhere, through a gateway.</summary>
    Universe = Libc.RT_SCOPE_UNIVERSE,
    Site = Libc.RT_SCOPE_SITE,

    /// <summary>Directly on the link.</summary>
    Link = Libc.RT_SCOPE_LINK,

    /// <summary>This host itself.</summary>
    Host = Libc.RT_SCOPE_HOST,
    Nowhere = Libc.RT_SCOPE_NOWHERE,
}
