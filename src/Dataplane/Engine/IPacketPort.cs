using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// What a worker asks of the host: one TUN queue, one UDP socket to receive from, one or more to send from, and sleep. Implementations are structs and a type
/// parameter of the worker, so the calls are direct; the second one is the tests' fake. No call blocks but
/// <see cref="Wait"/> and <see cref="Pause"/>; none allocates or throws. Failures are minus the error number.
/// Memory handed in is only used until the call returns. All calls come from the worker's own thread.
/// </summary>
internal unsafe interface IPacketPort
{
    /// <summary>Reads one frame, scattered over <paramref name="iov"/>. Returns its length: what does not fit is cut by the kernel without notice.</summary>
    nint ReadTun(iovec* iov, int count);

    /// <summary>Writes one frame gathered from <paramref name="iov"/>; all of it or an error.</summary>
    nint WriteTun(iovec* iov, int count);

    /// <summary>
    /// Sends up to <paramref name="count"/> messages in order. Returns how many left, at least 1, or the error of the first one;
    /// the error of a later one shows at the next call that starts with it (sendmmsg(2)).
    /// </summary>
    /// <param name="source">Which socket, and so which source port: from 0, the one that receives, to <see cref="WorkerOptions.SourcePorts"/> - 1.</param>
    /// <param name="messages">The messages.</param>
    /// <param name="count">1 or more.</param>
    int Send(int source, mmsghdr* messages, int count);

    /// <summary>Receives up to <paramref name="count"/> messages. Returns how many were filled, at least 1.</summary>
    int Receive(mmsghdr* messages, int count);

    /// <summary>Sleeps until something can be read, a control signal arrives or the time is over.</summary>
    /// <param name="tun">Also wake for the TUN queue; false while its device is gone and the queue would only report errors.</param>
    /// <param name="timeoutMilliseconds">-1 waits without end.</param>
    void Wait(bool tun, int timeoutMilliseconds);

    /// <summary>Sleeps until the socket of a source port takes more datagrams or the time is over.</summary>
    void WaitWritable(int source, int timeoutMilliseconds);

    /// <summary>Sleeps without being woken by packets.</summary>
    void Pause(int microseconds);

    /// <summary>Chooses how the calling thread is scheduled from now on. Returns false where this process may not (CAP_SYS_NICE, RLIMIT_RTPRIO).</summary>
    bool TrySetUrgency(Urgency urgency);
}
