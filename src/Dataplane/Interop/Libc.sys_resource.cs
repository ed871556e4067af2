using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const int PRIO_PROCESS = 0;

    [LibraryImport(LibraryName)]
    internal static partial int setpriority(int which, uint who, int prio);
}
