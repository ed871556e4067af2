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

    public void Dispose()
    {
        if (_fd < 0) return;
        // Never retried: on Linux the descriptor is gone also when close(2) answers EINTR.
        _ = Libc.close(_fd);
        _fd = -1;
    }
}
