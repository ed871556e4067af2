namespace FlannelFast.Dataplane.Interop;

/// <summary>
/// Owns one file descriptor and closes it once. Made from any open descriptor, also one that another process handed over.
/// Not thread-safe: the owner closes it after the threads that use it have ended.
/// </summary>
internal sealed class NativeFd(int fd) : IDisposable
{
    private int _fd = fd >= 0 ? fd : throw new ArgumentOutOfRangeException(nameof(fd), fd, "a file descriptor is zero or more");

    /// <summary>The number, valid until <see cref="Dispose"/>.</summary>
    internal int Number => _fd >= 0 ? _fd : throw new ObjectDisposedException(nameof(NativeFd));

    /// <summary>open(2) of a path that may hold any characters but zero. For files and directories that exist.</summary>
    /// <exception cref="ErrnoException">The kernel refused.</exception>
    internal static unsafe NativeFd Open(string path, int flags)
    {
        fixed (byte* name = System.Text.Encoding.UTF8.GetBytes(path + '\0'))
        {
            return new(SysResult.From(Libc.open(name, flags)).ThrowOnError($"cannot open {path}"));
        }
    }

    public void Dispose()
    {
        if (_fd < 0) return;
        // Never retried: on Linux the descriptor is gone also when close(2) answers EINTR.
        _ = Libc.close(_fd);
        _fd = -1;
    }
}
