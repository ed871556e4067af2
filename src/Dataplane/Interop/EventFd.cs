namespace FlannelFast.Dataplane.Interop;

/// <summary>
/// An eventfd, by which any thread ends another one's poll(2). Owns the descriptor: closed after the threads that use it have ended.
/// </summary>
internal sealed unsafe class EventFd : IDisposable
{
    private readonly NativeFd _fd = new(SysResult.From(Libc.eventfd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC)).ThrowOnError("cannot create an eventfd"));

    /// <summary>For poll(2): readable (POLLIN) from <see cref="Signal"/> to <see cref="Clear"/>. Valid until <see cref="Dispose"/>.</summary>
    internal int Number => _fd.Number;

    /// <summary>Ends the poll(2) under way, or else the next one. Any thread.</summary>
    internal void Signal()
    {
        ulong one = 1;
        // Only fails when 2^64 - 2 signals are pending, and then it is readable.
        _ = Libc.write(_fd.Number, &one, sizeof(ulong));
    }

    /// <summary>Takes back all signals so far. Does not wait where there are none.</summary>
    internal void Clear()
    {
        ulong signals;
        _ = Libc.read(_fd.Number, &signals, sizeof(ulong));
    }

    public void Dispose() => _fd.Dispose();
}
