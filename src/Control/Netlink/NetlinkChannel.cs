using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Netlink;

/// <summary>
/// One netlink socket as bytes: sends and receives whole datagrams and drops those that are not from the kernel. Belongs
/// to the network namespace of the thread that opens it. Used by one thread at a time, except <see cref="Wake"/>.
/// </summary>
internal sealed unsafe class NetlinkChannel : IDisposable
{
    private const int FirstBufferSize = 64 * 1024;

    private readonly NativeFd _socket;
    private readonly EventFd _wake = new();
    private byte[] _buffer = new byte[FirstBufferSize];

    /// <summary>Takes over an open socket (owned and closed from here on) that keeps the boundaries of datagrams.</summary>
    /// <exception cref="ErrnoException">No eventfd; the socket stays the caller's.</exception>
    internal NetlinkChannel(NativeFd socket) => _socket = socket;

    /// <summary>Opens a socket, subscribed to the given groups (RTNLGRP_… of NETLINK_ROUTE).</summary>
    /// <param name="groups">None for a socket that only asks.</param>
    /// <param name="receiveBuffer">Bytes the kernel may queue (it counts its own overhead, about double); 0 leaves the system's default.</param>
    /// <param name="protocol">NETLINK_…: whom it speaks to.</param>
    /// <exception cref="NetlinkException">No socket, or a group is refused.</exception>
    /// <exception cref="ErrnoException">No eventfd.</exception>
    internal static NetlinkChannel Open(ReadOnlySpan<uint> groups = default, int receiveBuffer = 0, int protocol = Libc.NETLINK_ROUTE)
    {
        int type = Libc.SOCK_RAW | Libc.SOCK_CLOEXEC | Libc.SOCK_NONBLOCK;
        NativeFd socket = new(Checked(Libc.socket(Libc.AF_NETLINK, type, protocol), "open a netlink socket"));
        try
        {
            // Both since Linux 4.3 and 4.12 only make errors shorter and clearer: going without is no failure.
            _ = SetOption(socket, Libc.SOL_NETLINK, Libc.NETLINK_CAP_ACK, 1);
            _ = SetOption(socket, Libc.SOL_NETLINK, Libc.NETLINK_EXT_ACK, 1);
            // The FORCE form passes net.core.rmem_max and needs CAP_NET_ADMIN; the plain form is cut to that limit silently.
            if (receiveBuffer > 0 && SetOption(socket, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, receiveBuffer).IsError)
                Checked(SetOption(socket, Libc.SOL_SOCKET, Libc.SO_RCVBUF, receiveBuffer), "set the receive buffer of a netlink socket");
            sockaddr_nl address = new() { nl_family = Libc.AF_NETLINK };
            Checked(Libc.bind(socket.Number, &address, (uint)sizeof(sockaddr_nl)), "bind a netlink socket");
            foreach (uint group in groups)
                Checked(SetOption(socket, Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, (int)group), $"subscribe to netlink group {group}");
            return new(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends one datagram to the kernel, which handles an rtnetlink request before this returns.</summary>
    internal SysResult Send(ReadOnlySpan<byte> datagram)
    {
        fixed (byte* bytes = datagram)
        {
            while (true)
            {
                SysResult sent = SysResult.From(Libc.sendto(_socket.Number, bytes, (nuint)datagram.Length, Libc.MSG_NOSIGNAL, null, 0));
                if (sent.Errno != Errno.EINTR) return sent;
            }
        }
    }

    /// <summary>Takes the next datagram of the kernel if there is one, whole, whatever its size.</summary>
    /// <param name="datagram">Valid until the next call.</param>
    /// <returns>Its length, or EAGAIN when the queue is empty, ENOBUFS when the kernel had to drop some.</returns>
    internal SysResult TryReceive(out ReadOnlySpan<byte> datagram)
    {
        datagram = default;
        while (true)
        {
            SysResult size = Receive(null, 0, Libc.MSG_PEEK, out _);
            if (size.IsError) return size;
            if (size.Value > _buffer.Length) _buffer = new byte[NetlinkAlignment.Up(size.Value)];
            fixed (byte* buffer = _buffer)
            {
                SysResult received = Receive(buffer, _buffer.Length, 0, out uint sender);
                if (received.IsError) return received;
                // Any process with CAP_NET_ADMIN can send to our port id; only the kernel is port 0.
                if (sender != 0) continue;
                datagram = _buffer.AsSpan(0, received.Value);
                return received;
            }
        }
    }

    /// <summary>
    /// Throws away everything queued, until the queue is seen empty: only that ends the kernel's congested state after an
    /// overrun (net/netlink/af_netlink.c, netlink_rcv_wake), and it runs an abandoned dump to its end.
    /// </summary>
    internal SysResult Discard()
    {
        while (true)
        {
            SysResult received = Receive(null, 0, 0, out _);
            if (received.Errno == Errno.EAGAIN) return new(0);
            if (received.IsError && received.Errno != Errno.ENOBUFS) return received;
        }
    }

    /// <summary>Waits for a datagram, an error to be received, or <see cref="Wake"/>.</summary>
    /// <param name="milliseconds">-1 waits for ever.</param>
    /// <returns>ETIMEDOUT when the time is over, else success.</returns>
    internal SysResult Wait(int milliseconds)
    {
        pollfd* fds = stackalloc pollfd[2];
        fds[0] = new() { fd = _socket.Number, events = Libc.POLLIN };
        fds[1] = new() { fd = _wake.Number, events = Libc.POLLIN };
        SysResult ready = SysResult.From(Libc.poll(fds, 2, milliseconds));
        if (ready.IsError) return ready.Errno == Errno.EINTR ? new(0) : ready;
        return ready.Value == 0 ? new(-Errno.ETIMEDOUT) : ready;
    }

    /// <summary>Ends every present and future <see cref="Wait"/>. May be called by any thread.</summary>
    internal void Wake() => _wake.Signal();

    public void Dispose()
    {
        _socket.Dispose();
        _wake.Dispose();
    }

    private SysResult Receive(byte* buffer, int length, int flags, out uint sender)
    {
        sockaddr_nl address = default;
        uint addressLength = (uint)sizeof(sockaddr_nl);
        SysResult received;
        do
        {
            received = SysResult.From(Libc.recvfrom(_socket.Number, buffer, (nuint)length,
                flags | Libc.MSG_TRUNC | Libc.MSG_DONTWAIT, &address, &addressLength));
        }
        while (received.Errno == Errno.EINTR);
        sender = address.nl_pid;
        return received;
    }

    private static SysResult SetOption(NativeFd socket, int level, int option, int value) =>
        SysResult.From(Libc.setsockopt(socket.Number, level, option, &value, sizeof(int)));

    private static int Checked(int returned, string attempted) => Checked(SysResult.From(returned), attempted);

    private static int Checked(SysResult result, string attempted) =>
        result.IsSuccess ? result.Value : throw new NetlinkException(result.Errno, attempted);
}
