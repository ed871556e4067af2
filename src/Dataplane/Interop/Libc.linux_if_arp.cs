namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const ushort ARPHRD_ETHER = 1;
}
