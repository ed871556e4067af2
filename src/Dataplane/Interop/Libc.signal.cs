using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const int SIGHUP = 1;
    internal const int SIGKILL = 9;
    internal const int SIGTERM = 15;

    [LibraryImport(LibraryName, SetLastError = true)]
    internal static partial int kill(int pid, int sig);
}
