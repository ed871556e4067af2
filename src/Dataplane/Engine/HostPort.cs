using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Engine;

/// <summary>The real host: plain system calls on descriptors that others own and close after the worker ended.</summary>
/// <param name="tunFd">The TUN queue.</param>
/// <param name="udpFds">The UDP sockets, by source; the first receives.</param>
/// <param name="control">Ends a sleep; null where only packets do.</param>
internal readonly unsafe struct HostPort(int tunFd, int[] udpFds, EventFd? control) : IPacketPort
{
    /// <summary>-15 measured best for idle round trips: p50 96 us against 104 at -5 and 117 at 0.</summary>
    private const int PromptNice = -15;

    // Non-blocking calls do not sleep, so signals do not interrupt them (signal(7)); an EINTR that comes all the same is
    // answered by the callers like EAGAIN, with a bound, instead of by a loop here without one.
    public nint ReadTun(iovec* iov, int count) => SysResult.From(Libc.readv(tunFd, iov, count)).Raw;

    public nint WriteTun(iovec* iov, int count) => SysResult.From(Libc.writev(tunFd, iov, count)).Raw;

    public int Send(int source, mmsghdr* messages, int count) =>
        (int)SysResult.From(Libc.sendmmsg(udpFds[source], messages, (uint)count, Libc.MSG_DONTWAIT)).Raw;

    public int Receive(mmsghdr* messages, int count) =>
        (int)SysResult.From(Libc.recvmmsg(udpFds[0], messages, (uint)count, Libc.MSG_DONTWAIT, null)).Raw;

    public void Wait(bool tun, int timeoutMilliseconds)
    {
        pollfd* fds = stackalloc pollfd[3];
        // A negative descriptor is skipped by poll(2).
        fds[0] = new() { fd = control?.Number ?? -1, events = Libc.POLLIN };
        fds[1] = new() { fd = udpFds[0], events = Libc.POLLIN };
        fds[2] = new() { fd = tun ? tunFd : -1, events = Libc.POLLIN };
        // Any outcome, EINTR included, is answered the same way: look at everything again.
        _ = Libc.poll(fds, 3, timeoutMilliseconds);
        if ((fds[0].revents & Libc.POLLIN) != 0) control!.Clear();
    }

    public void WaitWritable(int source, int timeoutMilliseconds)
    {
        var fd = new pollfd { fd = udpFds[source], events = Libc.POLLOUT };
        _ = Libc.poll(&fd, 1, timeoutMilliseconds);
    }

    public void Pause(int microseconds)
    {
        var time = new timespec { tv_nsec = microseconds * 1000L };
        _ = Libc.clock_nanosleep(Libc.CLOCK_MONOTONIC, 0, &time, null);
    }

    public bool TrySetUrgency(Urgency urgency)
    {
        // 1 is the lowest real-time priority: whatever else the host runs in real time keeps its place before us.
        var param = new sched_param { sched_priority = urgency == Urgency.RealTime ? 1 : 0 };
        if (Libc.sched_setscheduler(0, urgency == Urgency.RealTime ? Libc.SCHED_RR : Libc.SCHED_OTHER, &param) != 0) return false;
        // The nice value survives a time in another class. 0 names the calling thread, not the process (setpriority(2), C library/kernel differences).
        return urgency == Urgency.RealTime || Libc.setpriority(Libc.PRIO_PROCESS, 0, urgency == Urgency.Fair ? 0 : PromptNice) == 0;
    }
}
