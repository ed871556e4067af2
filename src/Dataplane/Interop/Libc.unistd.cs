using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

/// <summary>The C library, one partial file per C header. Names and layouts are C's own, so the man pages apply as they stand.</summary>
internal static unsafe partial class Libc
{
    private const string LibraryName = "libc";

    [LibraryImport(LibraryName)]
    internal static partial nint read(int fd, void* buf, nuint count);

    [LibraryImport(LibraryName)]
    internal static partial nint write(int fd, void* buf, nuint count);

    [LibraryImport(LibraryName)]
    internal static partial int close(int fd);

    [LibraryImport(LibraryName)]
    internal static partial int fsync(int fd);

    [LibraryImport(LibraryName)]
    internal static partial int unlinkat(int dirfd, byte* pathname, int flags);

    [LibraryImport(LibraryName)]
    internal static partial int dup3(int oldfd, int newfd, int flags);

    [LibraryImport(LibraryName)]
    internal static partial uint geteuid();

    [LibraryImport(LibraryName)]
    internal static partial int gettid();
}
