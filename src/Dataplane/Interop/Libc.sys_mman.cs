using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal static unsafe partial class Libc
{
    internal const int PROT_READ = 1;
    internal const int PROT_WRITE = 2;
    internal const int MAP_PRIVATE = 2;
    internal const int MAP_ANONYMOUS = 0x20;
    internal const int MADV_DONTDUMP = 16;

    [LibraryImport(LibraryName)]
    internal static partial void* mmap(void* addr, nuint length, int prot, int flags, int fd, long offset);

    [LibraryImport(LibraryName)]
    internal static partial int munmap(void* addr, nuint length);

    [LibraryImport(LibraryName)]
    internal static partial int madvise(void* addr, nuint length, int advice);
}
