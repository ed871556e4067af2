namespace FlannelFast.Dataplane.Interop;

internal struct sockaddr_in
{
    internal ushort sin_family;

    /// <summary>Network byte order.</summary>
    internal ushort sin_port;

    /// <summary>Network byte order.</summary>
    internal uint sin_addr;
    internal ulong sin_zero;
}

internal unsafe struct sockaddr_in6
{
    internal ushort sin6_family;

    /// <summary>Network byte order.</summary>
    internal ushort sin6_port;
    internal uint sin6_flowinfo;
    internal fixed byte sin6_addr[16];
    internal uint sin6_scope_id;
}

internal static unsafe partial class Libc
{
    internal const int IPPROTO_IP = 0;
    internal const int IPPROTO_UDP = 17;
    internal const int IPPROTO_IPV6 = 41;
    internal const int IP_TTL = 2;
    internal const int IP_MTU_DISCOVER = 10;
    internal const int IP_FREEBIND = 15;
    internal const int IP_PMTUDISC_OMIT = 5;
    internal const int IPV6_MTU_DISCOVER = 23;
    internal const int IPV6_V6ONLY = 26;
    internal const int IPV6_PMTUDISC_OMIT = 5;
}
