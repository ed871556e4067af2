using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal unsafe struct iovec
{
    internal void* iov_base;
    internal nuint iov_len;
}

internal static unsafe partial class Libc
{
    [LibraryImport(LibraryName)]
    internal static partial nint readv(int fd, iovec* iov, int iovcnt);

    [LibraryImport(LibraryName)]
    internal static partial nint writev(int fd, iovec* iov, int iovcnt);
}
