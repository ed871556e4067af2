using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const int SIGHUP = 1;
    internal const int SIGKILL = 9;
    internal const int SIGTERM = 15;

    internal const nint SIG_DFL = 0;

    [LibraryImport(LibraryName)]
    internal static partial nint signal(int sig, nint handler);

    [LibraryImport(LibraryName, SetLastError = true)]
    internal static partial int kill(int pid, int sig);
}
