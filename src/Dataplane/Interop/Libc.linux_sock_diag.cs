namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const int SK_MEMINFO_DROPS = 8;
    internal const int SK_MEMINFO_VARS = 9;
}
