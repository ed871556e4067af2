using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

/// <summary>struct ifreq, with two members of its union: the flags, which TUN devices use, and where other requests have their data.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct ifreq
{
    [FieldOffset(0)]
    internal fixed byte ifr_name[Libc.IFNAMSIZ];

    [FieldOffset(16)]
    internal ushort ifr_flags;

    [FieldOffset(16)]
    internal void* ifr_data;
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
