namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const uint TUNSETIFF = 0x400454ca;
    internal const uint TUNSETOFFLOAD = 0x400454d0;
    internal const uint TUNGETIFF = 0x800454d2;
    internal const uint TUNGETVNETHDRSZ = 0x800454d7;
    internal const uint TUNSETVNETHDRSZ = 0x400454d8;

    internal const ushort IFF_TUN = 0x0001;
    internal const ushort IFF_MULTI_QUEUE = 0x0100;
    internal const ushort IFF_NO_PI = 0x1000;
    internal const ushort IFF_VNET_HDR = 0x4000;
    internal const ushort IFF_TUN_EXCL = 0x8000;

    internal const uint TUN_F_CSUM = 0x01;
    internal const uint TUN_F_TSO4 = 0x02;
    internal const uint TUN_F_TSO6 = 0x04;

    /// <summary>Since Linux 6.2; older headers lack it.</summary>
    internal const uint TUN_F_USO4 = 0x20;

    /// <summary>Since Linux 6.2; older headers lack it.</summary>
    internal const uint TUN_F_USO6 = 0x40;
}
