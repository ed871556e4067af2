using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    [LibraryImport(LibraryName)]
    internal static partial int ioctl(int fd, nuint request, void* argp);
}
