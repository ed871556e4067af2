using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal struct sched_param
{
    internal int sched_priority;
}

internal static unsafe partial class Libc
{
    internal const int SCHED_OTHER = 0;
    internal const int SCHED_RR = 2;
    internal const int CLONE_NEWNET = 0x40000000;

    [LibraryImport(LibraryName)]
    internal static partial int unshare(int flags);

    [LibraryImport(LibraryName)]
    internal static partial int sched_setscheduler(int pid, int policy, sched_param* param);

    [LibraryImport(LibraryName)]
    internal static partial int sched_setaffinity(int pid, nuint size, byte* mask);

    [LibraryImport(LibraryName)]
    internal static partial int sched_getaffinity(int pid, nuint size, byte* mask);
}
