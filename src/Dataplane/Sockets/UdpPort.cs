using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Sockets;

/// <summary>
/// One bound, unconnected UDP socket of the underlay, which sends and perhaps receives; owns its descriptor. Options that only make it faster
/// are probed and read back, never required.
/// </summary>
internal sealed unsafe class UdpPort : IDisposable
{
    private readonly NativeFd _fd;

    private UdpPort(NativeFd fd, bool ipv6)
    {
        _fd = fd;
        IsIpv6 = ipv6;
    }

    /// <summary>The descriptor; non-blocking, close-on-exec, still owned by this object.</summary>
    internal int Fd => _fd.Number;

    /// <summary>The port it is bound to.</summary>
    internal int Port
    {
        get
        {
            byte* address = stackalloc byte[SocketAddress.MaxSize];
            uint length = SocketAddress.MaxSize;
            SysResult.From(Libc.getsockname(Fd, address, &length)).ThrowOnError("cannot read the address of a UDP socket");
            // At the same place in both families.
            return BinaryPrimitives.ReverseEndianness(((sockaddr_in*)address)->sin_port);
        }
    }

    /// <summary>A datagram waits to be read.</summary>
    internal bool HasArrivals
    {
        get
        {
            var look = new pollfd { fd = Fd, events = Libc.POLLIN };
            return Libc.poll(&look, 1, 0) > 0;
        }
    }

    /// <summary>The family of the socket.</summary>
    internal bool IsIpv6 { get; }

    /// <summary>Runs of datagrams arrive as one message.</summary>
    internal bool Gro { get; private set; }

    /// <summary>The kernel takes UDP_SEGMENT on this socket.</summary>
    internal bool Segment { get; private set; }

    /// <summary>SO_RCVBUF as read back: bytes, twice what was asked for.</summary>
    internal int ReceiveBuffer => GetOption(Libc.SOL_SOCKET, Libc.SO_RCVBUF);

    /// <summary>SO_SNDBUF as read back: bytes, twice what was asked for.</summary>
    internal int SendBuffer => GetOption(Libc.SOL_SOCKET, Libc.SO_SNDBUF);

    /// <summary>Binds a socket.</summary>
    /// <param name="local">Address to bind; its family is the socket's.</param>
    /// <param name="port">1 to 65535, or 0 for any.</param>
    /// <param name="share">Several sockets of this process share the port (SO_REUSEPORT).</param>
    /// <param name="buffer">Bytes of receive and send buffer to ask for.</param>
    /// <param name="gro">Try UDP_GRO.</param>
    /// <param name="segment">Try UDP_SEGMENT.</param>
    /// <param name="onlyFor">Nothing that was sent to another port than this one is taken, so that nobody gets past a firewall of the tunnel's port; null takes what comes.</param>
    /// <param name="absent">The address need not be there now (IP_FREEBIND), as it need not be for a socket once bound.</param>
    /// <exception cref="ErrnoException">EADDRINUSE, EADDRNOTAVAIL, EACCES and the like, with the address in the message.</exception>
    internal static UdpPort Bind(IPAddress local, int port, bool share, int buffer, bool gro, bool segment, int? onlyFor = null, bool absent = false)
    {
        UdpPort udp = Open(local);
        try
        {
            // Before the port is bound, so that not one other datagram comes in.
            if (onlyFor is { } sentTo) udp.AcceptOnly(sentTo);
            if (absent) udp.SetOption(Libc.IPPROTO_IP, Libc.IP_FREEBIND, 1).ThrowOnError("cannot bind a UDP socket to an address that may be absent (IP_FREEBIND)");
            udp.ConfigureSending(buffer);
            udp.ConfigureReceiving(share, buffer, gro);
            // Value 0 leaves the socket as it is and only asks whether the option is known (Linux 4.18).
            udp.Segment = segment && udp.SetOption(Libc.SOL_UDP, Libc.UDP_SEGMENT, 0).IsSuccess;
            udp.BindTo(local, port, $"cannot bind UDP {new IPEndPoint(local, port)}");
            return udp;
        }
        catch
        {
            udp.Dispose();
            throw;
        }
    }

    /// <summary>Binds a socket that only sends, to a port of the kernel's choice (net.ipv4.ip_local_port_range). What arrives there, the kernel throws away.</summary>
    /// <param name="local">Address to bind; its family is the socket's.</param>
    /// <param name="buffer">Bytes of send buffer to ask for.</param>
    /// <exception cref="ErrnoException">EMFILE, EADDRINUSE when all ports of the range are taken, and the like.</exception>
    internal static UdpPort BindSender(IPAddress local, int buffer)
    {
        UdpPort udp = Open(local);
        try
        {
            udp.ConfigureSending(buffer);
            // Before the port is bound, so that not one datagram comes in.
            udp.RefuseEverything();
            udp.BindTo(local, 0, $"cannot bind another source port at {local}");
            return udp;
        }
        catch
        {
            udp.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Datagrams the kernel has dropped at this socket: no room in its buffer, or a wrong checksum. 0 where it does not say (SO_MEMINFO, Linux 4.12). Not by SO_RXQ_OVFL, which copies
    /// the figure out of the sk_buff: with a kernel that checks such copies (CONFIG_HARDENED_USERCOPY) that is "kernel BUG at mm/usercopy.c" for one that TCP made
    /// (skbuff_fclone_cache), and the thread is gone. A TCP segment in VXLAN from a neighbour on the same machine arrives as such.
    /// </summary>
    internal uint ReadDrops()
    {
        uint* info = stackalloc uint[Libc.SK_MEMINFO_VARS];
        uint length = Libc.SK_MEMINFO_VARS * sizeof(uint);
        bool isKnown = SysResult.From(Libc.getsockopt(Fd, Libc.SOL_SOCKET, Libc.SO_MEMINFO, info, &length)).IsSuccess && length == Libc.SK_MEMINFO_VARS * sizeof(uint);
        return isKnown ? info[Libc.SK_MEMINFO_DROPS] : 0;
    }

    /// <summary>
    /// Puts another socket in this one's place under the same number, in one step (dup3), so that whoever uses the number need not
    /// be told. What waits in the old socket is lost. Takes the other one over; both must be of one family.
    /// </summary>
    internal void Become(UdpPort other)
    {
        if (other.IsIpv6 != IsIpv6) throw new ArgumentException("a socket of the same family expected");
        SysResult.From(Libc.dup3(other.Fd, Fd, Libc.O_CLOEXEC)).ThrowOnError("cannot replace the UDP socket");
        (Gro, Segment) = (other.Gro, other.Segment);
        other.Dispose();
    }

    /// <summary>Lets this one's number stand for another socket too, which stays where it is: for a socket that could not be replaced by one of its own.</summary>
    internal void StandFor(UdpPort other) => SysResult.From(Libc.dup3(other.Fd, Fd, Libc.O_CLOEXEC)).ThrowOnError("cannot replace the UDP socket");

    private static UdpPort Open(IPAddress local)
    {
        bool ipv6 = local.AddressFamily == AddressFamily.InterNetworkV6;
        int fd = SysResult.From(Libc.socket(ipv6 ? Libc.AF_INET6 : Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0))
            .ThrowOnError("cannot create a UDP socket");
        return new(new NativeFd(fd), ipv6);
    }

    private void BindTo(IPAddress local, int port, string attempted)
    {
        byte* address = stackalloc byte[SocketAddress.MaxSize];
        uint length = SocketAddress.Write(address, local, port);
        SysResult.From(Libc.bind(Fd, address, length)).ThrowOnError(attempted);
    }

    private void ConfigureSending(int buffer)
    {
        // A forged "fragmentation needed" otherwise poisons the path for ten minutes and makes every UDP_SEGMENT send fail with
        // EMSGSIZE. OMIT rather than INTERFACE: a datagram beyond the interface MTU is fragmented, not lost, as with stock flannel.
        SysResult pmtu = IsIpv6
            ? SetOption(Libc.IPPROTO_IPV6, Libc.IPV6_MTU_DISCOVER, Libc.IPV6_PMTUDISC_OMIT)
            : SetOption(Libc.IPPROTO_IP, Libc.IP_MTU_DISCOVER, Libc.IP_PMTUDISC_OMIT);
        pmtu.ThrowOnError("cannot switch path MTU discovery off on the UDP socket");
        if (IsIpv6) SetOption(Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 1).ThrowOnError("cannot restrict the UDP socket to IPv6");
        // The FORCE variants ignore net.core.[rw]mem_max but need CAP_NET_ADMIN; without it the capped ones do what they can.
        if (SetOption(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, buffer).IsError) SetOption(Libc.SOL_SOCKET, Libc.SO_SNDBUF, buffer);
    }

    private void ConfigureReceiving(bool share, int buffer, bool gro)
    {
        if (share) SetOption(Libc.SOL_SOCKET, Libc.SO_REUSEPORT, 1).ThrowOnError("cannot share the UDP port between workers (SO_REUSEPORT)");
        if (SetOption(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, buffer).IsError) SetOption(Libc.SOL_SOCKET, Libc.SO_RCVBUF, buffer);
        Gro = gro && SetOption(Libc.SOL_UDP, Libc.UDP_GRO, 1).IsSuccess;
    }

    /// <summary>
    /// A filter that accepts zero bytes of whatever comes (socket(7), SO_ATTACH_FILTER): nothing is queued, nobody is woken and nothing answered, and the kernel
    /// counts it as the socket's drops (/proc/net/udp). A receive buffer of the smallest size would still keep the first strays for ever.
    /// </summary>
    private void RefuseEverything()
    {
        var refuse = new sock_filter { code = Libc.BPF_RET | Libc.BPF_K, k = 0 };
        SocketFilter.Attach(Fd, [refuse]).ThrowOnError("cannot close a source port to the outside (SO_ATTACH_FILTER)");
    }

    /// <summary>Takes only datagrams for a destination port, which stands at offset 2 of their UDP header.</summary>
    private void AcceptOnly(int port) =>
        SocketFilter.TakeOnly(Fd, Libc.BPF_H, 2, (uint)port).ThrowOnError("cannot close a port to all but the tunnel's datagrams (SO_ATTACH_FILTER)");

    private SysResult SetOption(int level, int option, int value) =>
        SysResult.From(Libc.setsockopt(Fd, level, option, &value, sizeof(int)));

    private int GetOption(int level, int option)
    {
        int value = 0;
        uint length = sizeof(int);
        return SysResult.From(Libc.getsockopt(Fd, level, option, &value, &length)).IsSuccess ? value : 0;
    }

    public void Dispose() => _fd.Dispose();
}
