using System.Runtime.InteropServices;
using System.Text;

namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const int PR_SET_NAME = 15;
    internal const int PR_SET_TIMERSLACK = 29;

    // prctl(2) is variadic in C; on x86-64 and arm64 Linux integer arguments of variadic calls travel as in ordinary ones.
    [LibraryImport(LibraryName)]
    internal static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);

    /// <summary>
    /// Names the calling thread for top -H, perf and /proc: ahead-of-time compiled code does not pass Thread.Name on to the kernel. Threads that it starts inherit the name.
    /// </summary>
    /// <param name="name">The kernel keeps its first 15 bytes.</param>
    internal static void NameThread(string name)
    {
        fixed (byte* bytes = Encoding.UTF8.GetBytes(name + "\0")) _ = prctl(PR_SET_NAME, (nuint)bytes, 0, 0, 0);
    }
}
