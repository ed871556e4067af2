using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Sockets;

/// <summary>Classic BPF in front of a socket (socket(7), SO_ATTACH_FILTER): what it refuses is not queued and wakes nobody.</summary>
internal static unsafe class SocketFilter
{
    /// <summary>Puts a program in front of a socket, in place of the one that is there.</summary>
    internal static SysResult Attach(int socket, ReadOnlySpan<sock_filter> code)
    {
        fixed (sock_filter* filter = code)
        {
            var program = new sock_fprog { len = (ushort)code.Length, filter = filter };
            return SysResult.From(Libc.setsockopt(socket, Libc.SOL_SOCKET, Libc.SO_ATTACH_FILTER, &program, (uint)sizeof(sock_fprog)));
        }
    }

    /// <summary>Takes only what has a value in one place.</summary>
    /// <param name="socket">A UDP socket.</param>
    /// <param name="size">BPF_B or BPF_H.</param>
    /// <param name="offset">From the UDP header on; with SKF_NET_OFF from the IP header on (Documentation/networking/filter.rst).</param>
    /// <param name="value">In host order.</param>
    internal static SysResult TakeOnly(int socket, ushort size, int offset, uint value) => Attach(socket,
    [
        new() { code = (ushort)(Libc.BPF_LD | size | Libc.BPF_ABS), k = unchecked((uint)offset) },
        new() { code = Libc.BPF_JMP | Libc.BPF_JEQ | Libc.BPF_K, jf = 1, k = value },
        new() { code = Libc.BPF_RET | Libc.BPF_K, k = uint.MaxValue },
        new() { code = Libc.BPF_RET | Libc.BPF_K, k = 0 },
    ]);
}
