using System.Runtime.InteropServices;

namespace FlannelFast.Dataplane.Interop;

internal struct pollfd
{
    internal int fd;
    internal short events;
    internal short revents;
}

internal static unsafe partial class Libc
{
    internal const short POLLIN = 1;
    internal const short POLLOUT = 4;
    internal const short POLLERR = 8;
    internal const short POLLHUP = 0x10;
    internal const short POLLNVAL = 0x20;

    [LibraryImport(LibraryName)]
    internal static partial int poll(pollfd* fds, nuint nfds, int timeout);

    [LibraryImport(LibraryName)]
    internal static partial int ppoll(pollfd* fds, nuint nfds, timespec* tmo_p, void* sigmask);
}
