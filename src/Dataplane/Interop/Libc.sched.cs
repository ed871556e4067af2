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

    /// <summary>Bytes of a mask of 8,192 processors, the most that Linux can be built for; a shorter one than the kernel's own is refused (sched_setaffinity(2)).</summary>
    internal const int CpuMaskSize = 1024;

    [LibraryImport(LibraryName)]
    internal static partial int sched_setscheduler(int pid, int policy, sched_param* param);

    [LibraryImport(LibraryName)]
    internal static partial int sched_setaffinity(int pid, nuint size, byte* mask);

    [LibraryImport(LibraryName)]
    internal static partial int sched_getaffinity(int pid, nuint size, byte* mask);
}
