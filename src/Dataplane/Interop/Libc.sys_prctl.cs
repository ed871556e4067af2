using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const int PR_SET_NAME = 15;
    internal const int PR_SET_TIMERSLACK = 29;

    // prctl(2) is variadic in C; on x86-64 and arm64 Linux integer arguments of variadic calls travel as in ordinary ones.
    [LibraryImport(LibraryName)]
    internal static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);
}
