using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal unsafe struct msghdr
{
    internal void* msg_name;
    internal uint msg_namelen;
    internal iovec* msg_iov;
    internal nuint msg_iovlen;
    internal void* msg_control;
    internal nuint msg_controllen;
    internal int msg_flags;
}

internal struct mmsghdr
{
    internal msghdr msg_hdr;
    internal uint msg_len;
}

internal struct cmsghdr
{
    internal nuint cmsg_len;
    internal int cmsg_level;
    internal int cmsg_type;
}

internal struct linger
{
    internal int l_onoff;
    internal int l_linger;
}

internal struct ucred
{
    internal int pid;
    internal uint uid;
    internal uint gid;
}

internal static unsafe partial class Libc
{
    internal const int AF_UNSPEC = 0;
    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int AF_BRIDGE = 7;
    internal const int AF_INET6 = 10;
    internal const int AF_NETLINK = 16;
    internal const int AF_PACKET = 17;
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_DGRAM = 2;
    internal const int SOCK_RAW = 3;
    internal const int SOCK_NONBLOCK = 0x800;
    internal const int SOCK_CLOEXEC = 0x80000;

    internal const int SOL_SOCKET = 1;
    internal const int SOL_PACKET = 263;
    internal const int SO_REUSEADDR = 2;
    internal const int SO_ERROR = 4;
    internal const int SO_SNDBUF = 7;
    internal const int SO_RCVBUF = 8;
    internal const int SO_LINGER = 13;
    internal const int SO_REUSEPORT = 15;
    internal const int SO_PEERCRED = 17;
    internal const int SO_RCVTIMEO = 20;
    internal const int SO_SNDTIMEO = 21;
    internal const int SO_BINDTODEVICE = 25;
    internal const int SO_ATTACH_FILTER = 26;
    internal const int SO_SNDBUFFORCE = 32;
    internal const int SO_RCVBUFFORCE = 33;
    internal const int SO_RXQ_OVFL = 40;
    internal const int SO_MEMINFO = 55;

    internal const int MSG_PEEK = 2;
    internal const int MSG_CTRUNC = 8;
    internal const int MSG_TRUNC = 0x20;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const int MSG_WAITFORONE = 0x10000;

    internal const int SHUT_WR = 1;

    /// <summary>Bytes of a control message header; also CMSG_LEN(0) on 64-bit Linux.</summary>
    internal const int CmsgHeaderSize = 16;

    /// <summary>CMSG_SPACE(n) for n of 1 to 8 on 64-bit Linux.</summary>
    internal const int CmsgSpaceOfOneWord = 24;

    [LibraryImport(LibraryName)]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport(LibraryName)]
    internal static partial int bind(int sockfd, void* addr, uint addrlen);

    [LibraryImport(LibraryName)]
    internal static partial int connect(int sockfd, void* addr, uint addrlen);

    [LibraryImport(LibraryName)]
    internal static partial int listen(int sockfd, int backlog);

    [LibraryImport(LibraryName)]
    internal static partial int accept4(int sockfd, void* addr, uint* addrlen, int flags);

    [LibraryImport(LibraryName)]
    internal static partial int shutdown(int sockfd, int how);

    [LibraryImport(LibraryName)]
    internal static partial int getsockname(int sockfd, void* addr, uint* addrlen);

    [LibraryImport(LibraryName)]
    internal static partial int setsockopt(int sockfd, int level, int optname, void* optval, uint optlen);

    [LibraryImport(LibraryName)]
    internal static partial int getsockopt(int sockfd, int level, int optname, void* optval, uint* optlen);

    [LibraryImport(LibraryName)]
    internal static partial nint sendto(int sockfd, void* buf, nuint len, int flags, void* dest_addr, uint addrlen);

    [LibraryImport(LibraryName)]
    internal static partial nint recvfrom(int sockfd, void* buf, nuint len, int flags, void* src_addr, uint* addrlen);

    [LibraryImport(LibraryName)]
    internal static partial nint recvmsg(int sockfd, msghdr* msg, int flags);

    [LibraryImport(LibraryName)]
    internal static partial int recvmmsg(int sockfd, mmsghdr* msgvec, uint vlen, int flags, timespec* timeout);

    [LibraryImport(LibraryName)]
    internal static partial int sendmmsg(int sockfd, mmsghdr* msgvec, uint vlen, int flags);
}
