using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>What happens to a packet that takes a route (RTN_… of linux/rtnetlink.h).</summary>
internal enum RouteType : byte
{
    Unicast = Libc.RTN_UNICAST,
    Local = Libc.RTN_LOCAL,
    Broadcast = Libc.RTN_BROADCAST,
    Anycast = Libc.RTN_ANYCAST,
    Multicast = Libc.RTN_MULTICAST,
    Blackhole = Libc.RTN_BLACKHOLE,
    Unreachable = Libc.RTN_UNREACHABLE,
    Prohibit = Libc.RTN_PROHIBIT,
    Throw = Libc.RTN_THROW,
}
