namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const nuint SIOCETHTOOL = 0x8946;
}
