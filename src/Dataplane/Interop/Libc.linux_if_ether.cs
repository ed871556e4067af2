namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const int ETH_P_ALL = 3;
    internal const int ETH_HLEN = 14;
}
