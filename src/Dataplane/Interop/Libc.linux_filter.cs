namespace FlannelFast.Dataplane.Interop;

internal struct sock_filter
{
    internal ushort code;
    internal byte jt;
    internal byte jf;
    internal uint k;
}

internal unsafe struct sock_fprog
{
    internal ushort len;
    internal sock_filter* filter;
}

internal static unsafe partial class Libc
{
    internal const ushort BPF_RET = 0x06;
    internal const ushort BPF_K = 0x00;
    internal const ushort BPF_ABS = 0x20;
    internal const int SKF_NET_OFF = -0x100000;
}
