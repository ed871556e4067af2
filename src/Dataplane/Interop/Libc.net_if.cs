using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

/// <summary>struct ifreq, with the one member of its union that TUN devices use: the flags.</summary>
internal unsafe struct ifreq
{
    internal fixed byte ifr_name[Libc.IFNAMSIZ];
    internal ushort ifr_flags;
    private fixed byte _rest[22];
}

internal static unsafe partial class Libc
{
    /// <summary>Bytes of an interface name with its terminating zero.</summary>
    internal const int IFNAMSIZ = 16;
    internal const int IFF_UP = 1;
    internal const int IFF_LOOPBACK = 8;
    internal const int IFF_RUNNING = 0x40;

    [LibraryImport(LibraryName, SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial uint if_nametoindex(string ifname);

    internal static readonly byte[] DevNetTun = [.. "/dev/net/tun\0"u8];
}
