namespace FlannelFast.Dataplane.Interop;

internal struct sockaddr_nl
{
    internal ushort nl_family;
    internal ushort nl_pad;

    /// <summary>Port id: 0 is the kernel, and in bind(2) "choose one for me".</summary>
    internal uint nl_pid;
    internal uint nl_groups;
}

internal struct nlmsghdr
{
    internal uint nlmsg_len;
    internal ushort nlmsg_type;
    internal ushort nlmsg_flags;
    internal uint nlmsg_seq;
    internal uint nlmsg_pid;
}

internal struct nlmsgerr
{
    internal int error;
    internal nlmsghdr msg;
}

internal struct nlattr
{
    internal ushort nla_len;
    internal ushort nla_type;
}

internal static unsafe partial class Libc
{
    internal const int NETLINK_ROUTE = 0;
    internal const int NETLINK_XFRM = 6;
    internal const int SOL_NETLINK = 270;
    internal const int NETLINK_ADD_MEMBERSHIP = 1;
    internal const int NETLINK_CAP_ACK = 10;
    internal const int NETLINK_EXT_ACK = 11;

    internal const ushort NLMSG_NOOP = 1;
    internal const ushort NLMSG_ERROR = 2;
    internal const ushort NLMSG_DONE = 3;
    internal const ushort NLMSG_OVERRUN = 4;
    internal const int NLMSG_ALIGNTO = 4;
    internal const int NLMSG_HDRLEN = 16;

    internal const ushort NLM_F_REQUEST = 0x1;
    internal const ushort NLM_F_MULTI = 0x2;
    internal const ushort NLM_F_ACK = 0x4;
    internal const ushort NLM_F_DUMP_INTR = 0x10;
    internal const ushort NLM_F_DUMP = 0x300;
    internal const ushort NLM_F_REPLACE = 0x100;
    internal const ushort NLM_F_EXCL = 0x200;
    internal const ushort NLM_F_CREATE = 0x400;
    internal const ushort NLM_F_CAPPED = 0x100;
    internal const ushort NLM_F_ACK_TLVS = 0x200;

    internal const ushort NLMSGERR_ATTR_MSG = 1;

    internal const int NLA_ALIGNTO = 4;
    internal const int NLA_HDRLEN = 4;
    internal const int NLA_F_NESTED = 0x8000;
    internal const int NLA_TYPE_MASK = ~0xc000;
}
