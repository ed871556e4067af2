using System.Net;
using System.Net.Sockets;
using System.Text;
using FlannelFast.Dataplane.Interop;
using SocketAddress = FlannelFast.Dataplane.Sockets.SocketAddress;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// One blocking TCP or UDP socket whose waits end after <see cref="WaitMilliseconds"/>, so that every loop around it can look at
/// its deadline. Blocking rather than non-blocking with poll(2): one system call per transfer instead of two. Owns the descriptor.
/// </summary>
internal sealed unsafe class LabSocket : IDisposable
{
    /// <summary>The longest that one call blocks.</summary>
    internal const int WaitMilliseconds = 100;

    private const int BacklogLength = 1024;
    private readonly NativeFd _fd;

    private LabSocket(int fd) => _fd = new NativeFd(fd);

    internal int Fd => _fd.Number;

    /// <summary>A UDP socket that receives on an address and answers whoever asked.</summary>
    internal static LabSocket BindUdp(IPEndPoint local)
    {
        LabSocket socket = Create(local.AddressFamily, Libc.SOCK_DGRAM, "UDP");
        return socket.Bind(local, "UDP");
    }

    /// <summary>A UDP socket that exchanges datagrams with one address.</summary>
    internal static LabSocket ConnectUdp(IPEndPoint remote)
    {
        LabSocket socket = Create(remote.AddressFamily, Libc.SOCK_DGRAM, "UDP");
        SysResult result = socket.StartConnect(remote);
        if (result.IsSuccess) return socket;
        socket.Dispose();
        throw new AgentException($"cannot send to {remote}: {Errno.Describe(result.Errno)}");
    }

    /// <summary>A TCP socket that takes connections.</summary>
    internal static LabSocket Listen(IPEndPoint local)
    {
        LabSocket socket = Create(local.AddressFamily, Libc.SOCK_STREAM, "TCP");
        try
        {
            // Connections of the run before stay in TIME-WAIT for a minute.
            socket.Set(Libc.SOL_SOCKET, Libc.SO_REUSEADDR, 1).ThrowOnError("cannot set SO_REUSEADDR");
            socket.Bind(local, "TCP");
            SysResult.From(Libc.listen(socket.Fd, BacklogLength)).ThrowOnError($"cannot listen on TCP {local}");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A TCP connection.</summary>
    /// <param name="remote">Where to.</param>
    /// <param name="congestion">The congestion control to set before connecting; null leaves the system's.</param>
    /// <param name="deadline">When to give up, on <see cref="Clock"/>.</param>
    /// <exception cref="AgentException">Refused, unreachable, late, or the congestion control is not there.</exception>
    internal static LabSocket ConnectTcp(IPEndPoint remote, string? congestion, long deadline)
    {
        LabSocket socket = Create(remote.AddressFamily, Libc.SOCK_STREAM, "TCP");
        try
        {
            if (congestion is not null) socket.SetCongestionControl(congestion);
            SysResult result = socket.StartConnect(remote);
            // connect(2) gives EINPROGRESS when SO_SNDTIMEO passes (socket(7)): the handshake goes on.
            if (result.Errno is Errno.EINPROGRESS or Errno.EINTR) result = socket.FinishConnect(deadline);
            if (result.IsError) throw new AgentException($"cannot connect to {remote}: {Errno.Describe(result.Errno)}");
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The next connection, or null when none came within <see cref="WaitMilliseconds"/>.</summary>
    internal LabSocket? Accept()
    {
        SysResult result = TryAccept();
        // accept(2): pending errors of the new connection come out here; they are not the listener's.
        return result.IsSuccess ? new LabSocket(result.Value) : IsTransient(result.Errno) ? null : throw Failure("accept", result);
    }

    /// <summary>The next connection's descriptor, owned by the caller; its timeouts are those of the listening socket.</summary>
    internal SysResult TryAccept() => SysResult.From(Libc.accept4(Fd, null, null, Libc.SOCK_CLOEXEC));

    /// <summary>Receives once; <see cref="SysResult"/> of 0 is the end of a TCP stream.</summary>
    internal SysResult Receive(void* buffer, int length) => SysResult.From(Libc.recvfrom(Fd, buffer, (nuint)length, 0, null, null));

    /// <summary>Sends once, possibly in part.</summary>
    internal SysResult Send(void* buffer, int length) => SysResult.From(Libc.sendto(Fd, buffer, (nuint)length, Libc.MSG_NOSIGNAL, null, 0));

    /// <summary>Sends all of it over TCP.</summary>
    internal void SendAll(ReadOnlySpan<byte> bytes, long deadline)
    {
        fixed (byte* start = bytes)
        {
            for (int done = 0; done < bytes.Length;)
            {
                SysResult sent = Send(start + done, bytes.Length - done);
                if (sent.IsSuccess) done += sent.Value;
                else if (!IsTimeout(sent.Errno)) throw Failure("send", sent);
                else if (Clock.Now > deadline) throw Late();
            }
        }
    }

    /// <summary>Receives exactly as much as fits over TCP.</summary>
    internal void ReceiveAll(Span<byte> bytes, long deadline)
    {
        fixed (byte* start = bytes)
        {
            for (int done = 0; done < bytes.Length;)
            {
                SysResult got = Receive(start + done, bytes.Length - done);
                if (got.Raw > 0) done += got.Value;
                else if (got.Raw == 0) throw new AgentException("the peer closed the connection early");
                else if (!IsTimeout(got.Errno)) throw Failure("receive", got);
                else if (Clock.Now > deadline) throw Late();
            }
        }
    }

    /// <summary>Ends the sending direction of TCP.</summary>
    internal void ShutdownSend() => SysResult.From(Libc.shutdown(Fd, Libc.SHUT_WR)).ThrowOnError("cannot end the TCP stream");

    /// <summary>Makes <see cref="Dispose"/> reset the connection, so that no port stays in TIME-WAIT (RFC 9293, ABORT).</summary>
    internal void AbortOnClose()
    {
        linger option = new() { l_onoff = 1, l_linger = 0 };
        SysResult.From(Libc.setsockopt(Fd, Libc.SOL_SOCKET, Libc.SO_LINGER, &option, (uint)sizeof(linger))).ThrowOnError("cannot set SO_LINGER");
    }

    /// <summary>Has the kernel, or a card, cut what one send holds into datagrams of this many bytes, the last one perhaps shorter (udp(7), UDP_SEGMENT).</summary>
    internal void CutDatagrams(int size) => Set(Libc.SOL_UDP, Libc.UDP_SEGMENT, size).ThrowOnError("cannot set UDP_SEGMENT");

    /// <summary>Sends small segments at once.</summary>
    internal void DisableNagle() => Set(Libc.IPPROTO_TCP, Libc.TCP_NODELAY, 1).ThrowOnError("cannot set TCP_NODELAY");

    internal void SetCongestionControl(string name)
    {
        Span<byte> text = stackalloc byte[TcpPreamble.CongestionSize];
        int length = Encoding.ASCII.GetBytes(name, text);
        fixed (byte* start = text)
        {
            SysResult result = SysResult.From(Libc.setsockopt(Fd, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, start, (uint)length));
            if (result.IsError) throw new AgentException($"cannot use the congestion control \"{name}\": {Errno.Describe(result.Errno)}");
        }
    }

    /// <summary>What the kernel says it uses.</summary>
    internal string GetCongestionControl()
    {
        byte* text = stackalloc byte[TcpPreamble.CongestionSize];
        uint length = TcpPreamble.CongestionSize;
        SysResult.From(Libc.getsockopt(Fd, Libc.IPPROTO_TCP, Libc.TCP_CONGESTION, text, &length)).ThrowOnError("cannot read TCP_CONGESTION");
        return Encoding.ASCII.GetString(text, (int)length).TrimEnd('\0');
    }

    /// <summary>Segments retransmitted in the life of the connection.</summary>
    internal long GetRetransmits()
    {
        tcp_info info = default;
        uint length = (uint)sizeof(tcp_info);
        SysResult.From(Libc.getsockopt(Fd, Libc.IPPROTO_TCP, Libc.TCP_INFO, &info, &length)).ThrowOnError("cannot read TCP_INFO");
        return info.tcpi_total_retrans;
    }

    /// <summary>
    /// Asks for socket buffers of 4 MiB each: with the default of 212,992 bytes the generator's own socket would lose what the path
    /// delivered. The FORCE variants ignore net.core.[rw]mem_max but need CAP_NET_ADMIN.
    /// </summary>
    internal void EnlargeBuffers()
    {
        const int Bytes = 4 << 20;
        if (Set(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, Bytes).IsError) _ = Set(Libc.SOL_SOCKET, Libc.SO_RCVBUF, Bytes);
        if (Set(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, Bytes).IsError) _ = Set(Libc.SOL_SOCKET, Libc.SO_SNDBUF, Bytes);
    }

    /// <summary>Makes received messages carry the number of datagrams that this socket dropped for lack of room.</summary>
    internal void CountDrops() => Set(Libc.SOL_SOCKET, Libc.SO_RXQ_OVFL, 1).ThrowOnError("cannot set SO_RXQ_OVFL");

    /// <summary>Nothing happened in time, or a signal came: try again.</summary>
    internal static bool IsTimeout(int errno) => errno is Errno.EAGAIN or Errno.EINTR;

    /// <summary>
    /// What a UDP socket reports of the past (ICMP errors arrive with the next call) or of the moment: the exchange goes on,
    /// deadlines decide.
    /// </summary>
    internal static bool IsTransient(int errno) => IsTimeout(errno)
        || errno is Errno.ECONNREFUSED or Errno.EHOSTUNREACH or Errno.ENETUNREACH or Errno.ENOBUFS or Errno.ECONNRESET or Errno.ETIMEDOUT or Errno.ENETDOWN;

    internal static AgentException Failure(string what, SysResult result) => new($"cannot {what}: {Errno.Describe(result.Errno)}");

    internal static AgentException Late() => new("the peer did not answer in time");

    public void Dispose() => _fd.Dispose();

    private static LabSocket Create(AddressFamily family, int type, string protocol)
    {
        int domain = family == AddressFamily.InterNetworkV6 ? Libc.AF_INET6 : Libc.AF_INET;
        LabSocket socket = new(SysResult.From(Libc.socket(domain, type | Libc.SOCK_CLOEXEC, 0)).ThrowOnError($"cannot create a {protocol} socket"));
        timeval wait = new() { tv_usec = WaitMilliseconds * 1000 };
        SysResult.From(Libc.setsockopt(socket.Fd, Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, &wait, (uint)sizeof(timeval))).ThrowOnError("cannot set SO_RCVTIMEO");
        SysResult.From(Libc.setsockopt(socket.Fd, Libc.SOL_SOCKET, Libc.SO_SNDTIMEO, &wait, (uint)sizeof(timeval))).ThrowOnError("cannot set SO_SNDTIMEO");
        return socket;
    }

    private LabSocket Bind(IPEndPoint local, string protocol)
    {
        byte* address = stackalloc byte[SocketAddress.MaxSize];
        uint length = SocketAddress.Write(address, local.Address, local.Port);
        SysResult result = SysResult.From(Libc.bind(Fd, address, length));
        if (result.IsSuccess) return this;
        Dispose();
        throw new AgentException($"cannot listen on {protocol} {local}: {Errno.Describe(result.Errno)}");
    }

    private SysResult StartConnect(IPEndPoint remote)
    {
        byte* address = stackalloc byte[SocketAddress.MaxSize];
        uint length = SocketAddress.Write(address, remote.Address, remote.Port);
        return SysResult.From(Libc.connect(Fd, address, length));
    }

    private SysResult FinishConnect(long deadline)
    {
        pollfd ready = new() { fd = Fd, events = Libc.POLLOUT };
        while (Libc.poll(&ready, 1, WaitMilliseconds) <= 0)
        {
            if (Clock.Now > deadline) return new SysResult(-Errno.ETIMEDOUT);
        }
        int error = 0;
        uint length = sizeof(int);
        SysResult read = SysResult.From(Libc.getsockopt(Fd, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &length));
        return read.IsError ? read : new SysResult(-error);
    }

    private SysResult Set(int level, int option, int value) => SysResult.From(Libc.setsockopt(Fd, level, option, &value, sizeof(int)));
}
