using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal struct timespec
{
    internal long tv_sec;
    internal long tv_nsec;
}

internal static unsafe partial class Libc
{
    internal const int CLOCK_MONOTONIC = 1;

    [LibraryImport(LibraryName)]
    internal static partial int clock_nanosleep(int clockid, int flags, timespec* request, timespec* remain);
}
