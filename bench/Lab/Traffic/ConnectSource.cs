using System.Net;
using FlannelFast.Dataplane.Interop;
using SocketAddress = FlannelFast.Dataplane.Sockets.SocketAddress;

namespace FlannelFast.Lab.Traffic;

/// <summary>connect-source: connects, exchanges one byte, closes, again and again.</summary>
internal static unsafe class ConnectSource
{
    internal static AgentResult Run(AgentContext context)
    {
        AgentArguments arguments = context.Arguments;
        IPEndPoint remote = arguments.EndPoint("--to");
        int streams = (int)arguments.Integer("--streams", 1, 64, 1);
        long duration = arguments.Seconds("--seconds");
        arguments.Finish();
        LatencyHistogram latency = new();
        long failed = 0, connections = 0;
        Lock joining = new();
        Workers workers = new();
        long start = Clock.Now, until = start + duration;
        for (int i = 0; i < streams; i++)
        {
            workers.Start("connect-source", () =>
            {
                LatencyHistogram own = new();
                long ownFailed = Connect(remote, until, own, context.Stop);
                lock (joining)
                {
                    latency.Merge(own);
                    failed += ownFailed;
                    connections += own.Count;
                }
            });
        }
        workers.Join();
        if (connections == 0) throw new AgentException($"no connection to {remote} was answered ({failed} failed)");
        return new ConnectSourceResult
        {
            Role = "connect-source",
            Streams = streams,
            Connections = connections,
            Failed = failed,
            ConnectionsPerSecond = connections * (double)Clock.Second / (Clock.Now - start),
            Latency = LatencySummary.From(latency),
        };
    }

    // Raw descriptors: an owner object per connection would be an allocation per connection.
    private static long Connect(IPEndPoint remote, long until, LatencyHistogram latency, StopSignal stop)
    {
        byte* address = stackalloc byte[SocketAddress.MaxSize];
        uint length = SocketAddress.Write(address, remote.Address, remote.Port);
        int family = ((sockaddr_in*)address)->sin_family;
        // Above the first SYN retransmission (1 s), below the second, so that one lost segment is a latency and not a failure.
        timeval wait = new() { tv_sec = 2 };
        linger abort = new() { l_onoff = 1 };
        long failed = 0;
        while (Clock.Now < until && !stop.IsSet)
        {
            long start = Clock.Now;
            int fd = SysResult.From(Libc.socket(family, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0)).ThrowOnError("cannot create a TCP socket");
            byte value = 1;
            // Reset at close: 28,000 ports in TIME-WAIT would be used up within seconds.
            bool answered = Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_SNDTIMEO, &wait, (uint)sizeof(timeval)) == 0
                && Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, &wait, (uint)sizeof(timeval)) == 0
                && Libc.setsockopt(fd, Libc.SOL_SOCKET, Libc.SO_LINGER, &abort, (uint)sizeof(linger)) == 0
                && Libc.connect(fd, address, length) == 0
                && Libc.sendto(fd, &value, 1, Libc.MSG_NOSIGNAL, null, 0) == 1
                && Libc.read(fd, &value, 1) == 1;
            if (answered) latency.Record(Clock.Now - start);
            else failed++;
            _ = Libc.close(fd);
            // A refusal is immediate: without a pause it would be a busy loop until the end.
            if (!answered) Clock.Sleep(Clock.Millisecond);
        }
        return failed;
    }
}
