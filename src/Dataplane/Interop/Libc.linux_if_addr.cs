namespace FlannelFast.Dataplane.Interop;

internal struct ifaddrmsg
{
    internal byte ifa_family;
    internal byte ifa_prefixlen;

    /// <summary>The low 8 bits; IFA_FLAGS carries all of them.</summary>
    internal byte ifa_flags;
    internal byte ifa_scope;
    internal uint ifa_index;
}

internal static unsafe partial class Libc
{
    internal const ushort IFA_ADDRESS = 1;
    internal const ushort IFA_LOCAL = 2;
    internal const ushort IFA_BROADCAST = 4;
    internal const ushort IFA_FLAGS = 8;

    internal const uint IFA_F_TEMPORARY = 0x01;
    internal const uint IFA_F_NODAD = 0x02;
    internal const uint IFA_F_DADFAILED = 0x08;
    internal const uint IFA_F_DEPRECATED = 0x20;
    internal const uint IFA_F_TENTATIVE = 0x40;
    internal const uint IFA_F_PERMANENT = 0x80;
    internal const uint IFA_F_NOPREFIXROUTE = 0x200;
}
