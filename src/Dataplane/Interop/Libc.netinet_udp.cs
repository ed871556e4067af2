namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const int SOL_UDP = 17;
    internal const int UDP_SEGMENT = 103;
    internal const int UDP_GRO = 104;
}
