using System.Buffers.Binary;
using System.Net;
using FlannelFast.Control.Tests.Netlink;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Sockets;
using SocketAddress = FlannelFast.Dataplane.Sockets.SocketAddress;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>The sockets of a worker on the real kernel, in a network namespace of its own.</summary>
public sealed unsafe class WorkerSocketsTests
{
    private const string One = "192.0.2.1", Two = "192.0.2.2";

    [Theory, InlineData(One), InlineData("2001:db8::1")]
    public void Each_source_has_a_port_of_its_own(string local) => InNamespace(() =>
    {
        using WorkerSockets sockets = WorkerSockets.Bind(Options(local));
        IPEndPoint[] names = Names(sockets);
        Assert.Equal((8, 8, (string?)null), (sockets.SourcePorts, names.Distinct().Count(), sockets.Shortage));
        Assert.All(names, name => Assert.Equal(IPAddress.Parse(local), name.Address));
        Assert.Equal(8472, names[0].Port);
        // As for the main socket: no route's idea of a path MTU, and room for a burst.
        (int level, int option, int omit) = local == One
            ? (Libc.IPPROTO_IP, Libc.IP_MTU_DISCOVER, Libc.IP_PMTUDISC_OMIT) : (Libc.IPPROTO_IPV6, Libc.IPV6_MTU_DISCOVER, Libc.IPV6_PMTUDISC_OMIT);
        Assert.All(sockets.Fds, fd => Assert.Equal(omit, Option(fd, level, option)));
        Assert.All(sockets.Fds, fd => Assert.Equal(Option(sockets.Fds[0], Libc.SOL_SOCKET, Libc.SO_SNDBUF), Option(fd, Libc.SOL_SOCKET, Libc.SO_SNDBUF)));
    });

    [Fact]
    public void The_udp_format_and_one_port_have_the_tunnels_socket_alone() => InNamespace(() =>
    {
        foreach (EngineOptions options in (EngineOptions[])[Options(One) with { Encapsulation = EncapsulationKind.Udp }, Options(One) with { SourcePorts = 1 }])
        {
            using WorkerSockets sockets = WorkerSockets.Bind(options);
            Assert.Equal(8472, Assert.Single(Names(sockets)).Port);
            Assert.Null(sockets.Shortage);
        }
    });

    [Fact]
    public void Workers_share_the_tunnels_port_and_no_other() => InNamespace(() =>
    {
        EngineOptions options = Options(One) with { Queues = 2 };
        using WorkerSockets first = WorkerSockets.Bind(options), second = WorkerSockets.Bind(options);
        Assert.Equal(15, Names(first).Concat(Names(second)).Distinct().Count());
    });

    /// <summary>Also of sockets that others have taken the place of. Never by SO_RXQ_OVFL: see <see cref="UdpPort.ReadDrops"/>.</summary>
    [Fact]
    public void What_has_no_room_is_counted() => InNamespace(() =>
    {
        EngineOptions options = Options(One) with { Encapsulation = EncapsulationKind.Udp, SocketBuffer = 1 << 16 };
        using WorkerSockets sockets = WorkerSockets.Bind(options), others = WorkerSockets.Bind(options with { Local = IPAddress.Parse(Two) });
        using UdpPort sender = UdpPort.Bind(IPAddress.Parse(Two), 7777, share: false, 1 << 20, gro: false, segment: false);
        Assert.Equal(0, sockets.ReadOverflow());
        Flood(One, 2000);
        long first = sockets.ReadOverflow();
        Assert.Equal(2000, first + Drain(sockets.Fds[0]));
        Assert.InRange(first, 1000, 1999);
        sockets.Become(others);
        Assert.Equal(first, sockets.ReadOverflow());
        Flood(Two, 1000);
        Assert.Equal(1000, sockets.ReadOverflow() - first + Drain(sockets.Fds[0]));
        Assert.Equal(0, Option(sockets.Fds[0], Libc.SOL_SOCKET, Libc.SO_RXQ_OVFL));

        void Flood(string address, int count)
        {
            for (int i = 0; i < count; i++) Send(sender.Fd, new(IPAddress.Parse(address), options.Port));
        }

        static int Drain(int fd)
        {
            byte* datagram = stackalloc byte[64];
            int count = 0;
            while (Libc.read(fd, datagram, 64) >= 0) count++;
            return count;
        }
    });

    /// <summary>Whatever arrives at a port that only sends is gone, and nothing tells the stranger that somebody is there, or not.</summary>
    [Fact]
    public void What_strangers_send_to_a_source_port_goes_nowhere() => InNamespace(() =>
    {
        using WorkerSockets sockets = WorkerSockets.Bind(Options(One));
        using UdpPort stranger = UdpPort.Bind(IPAddress.Parse(Two), 7777, share: false, 1 << 16, gro: false, segment: false);
        for (int source = 0; source < sockets.Fds.Length; source++)
        {
            for (int i = 0; i < 100; i++) Send(stranger.Fd, Names(sockets)[source]);
            var wait = new pollfd { fd = sockets.Fds[source], events = Libc.POLLIN };
            int ready = Libc.poll(&wait, 1, source == 0 ? 1000 : 0);
            Assert.Equal(source == 0 ? (1, Libc.POLLIN) : (0, 0), (ready, wait.revents));
        }
        Assert.Equal(0, Option(stranger.Fd, Libc.SOL_SOCKET, Libc.SO_ERROR));
    });

    [Fact]
    public void Fewer_ports_than_wanted_are_enough_and_the_reason_is_told() => InNamespace(() =>
    {
        AllowPorts(40_000, 40_002);
        using WorkerSockets sockets = WorkerSockets.Bind(Options(One));
        Assert.Equal([8472, 40_000, 40_001, 40_002], Names(sockets).Select(name => name.Port).Order());
        Assert.Equal(4, sockets.SourcePorts);
        Assert.StartsWith("cannot bind another source port at 192.0.2.1: ", sockets.Shortage, StringComparison.Ordinal);
    });

    [Fact]
    public void A_tunnel_port_that_is_taken_leaves_no_socket_behind() => InNamespace(() =>
    {
        using WorkerSockets sockets = WorkerSockets.Bind(Options(One));
        Assert.Equal(Errno.EADDRINUSE, Assert.Throws<ErrnoException>(() => WorkerSockets.Bind(Options(One))).Errno);
    });

    [Fact]
    public void Another_address_takes_over_every_descriptor() => InNamespace(() =>
    {
        using WorkerSockets sockets = WorkerSockets.Bind(Options(One));
        int[] before = [.. sockets.Fds];
        sockets.Become(sockets.BindAnew(Options(Two)));
        Assert.Equal(before, sockets.Fds);
        IPEndPoint[] names = Names(sockets);
        Assert.All(names, name => Assert.Equal(IPAddress.Parse(Two), name.Address));
        Assert.Equal((8, 8472, 8), (names.Distinct().Count(), names[0].Port, sockets.SourcePorts));
        // Nothing holds the old address any more.
        using WorkerSockets again = WorkerSockets.Bind(Options(One));
    });

    /// <summary>No flow may go on from an address that peers do not know.</summary>
    [Fact]
    public void Where_the_new_address_has_fewer_ports_the_tunnels_own_stands_in() => InNamespace(() =>
    {
        using WorkerSockets sockets = WorkerSockets.Bind(Options(One));
        AllowPorts(40_000, 40_002);
        using UdpPort taken = UdpPort.Bind(IPAddress.Parse(Two), 40_002, share: false, 1 << 16, gro: false, segment: false);
        sockets.Become(sockets.BindAnew(Options(Two)));
        IPEndPoint[] names = Names(sockets);
        Assert.All(names, name => Assert.Equal(IPAddress.Parse(Two), name.Address));
        Assert.Equal((3, 3, 6), (sockets.SourcePorts, names.Distinct().Count(), names.Count(name => name.Port == 8472)));
        Assert.NotNull(sockets.Shortage);

        taken.Dispose();
        sockets.ReplaceMain(PortInUse.Outlast(() => WorkerSockets.BindAside(Options(Two), 0)));
        Assert.DoesNotContain(8472, Names(sockets).Select(name => name.Port));
        AllowPorts(40_000, 50_000);
        sockets.Become(sockets.BindAnew(Options(One)));
        Assert.Equal((8, 8, (string?)null), (sockets.SourcePorts, Names(sockets).Distinct().Count(), sockets.Shortage));
    });

    [Fact]
    public void An_address_that_is_not_ours_changes_nothing() => InNamespace(() =>
    {
        using WorkerSockets sockets = WorkerSockets.Bind(Options(One));
        IPEndPoint[] before = Names(sockets);
        Assert.Equal(Errno.EADDRNOTAVAIL, Assert.Throws<ErrnoException>(() => sockets.BindAnew(Options("192.0.2.77"))).Errno);
        Assert.Equal(before, Names(sockets));
    });

    private static EngineOptions Options(string local) => new() { Encapsulation = EncapsulationKind.Vxlan, Local = IPAddress.Parse(local), Port = 8472 };

    private static IPEndPoint[] Names(WorkerSockets sockets) => [.. sockets.Fds.Select(NameOf)];

    private static IPEndPoint NameOf(int fd)
    {
        byte* raw = stackalloc byte[SocketAddress.MaxSize];
        uint length = SocketAddress.MaxSize;
        SysResult.From(Libc.getsockname(fd, raw, &length)).ThrowOnError("getsockname");
        int port = BinaryPrimitives.ReverseEndianness(((sockaddr_in*)raw)->sin_port);
        return new(new IPAddress(length == sizeof(sockaddr_in) ? new ReadOnlySpan<byte>(raw + 4, 4) : new ReadOnlySpan<byte>(raw + 8, 16)), port);
    }

    private static int Option(int fd, int level, int option)
    {
        int value;
        uint length = sizeof(int);
        SysResult.From(Libc.getsockopt(fd, level, option, &value, &length)).ThrowOnError("getsockopt");
        return value;
    }

    private static void Send(int fd, IPEndPoint to)
    {
        byte* address = stackalloc byte[SocketAddress.MaxSize], payload = stackalloc byte[100];
        uint length = SocketAddress.Write(address, to.Address, to.Port);
        SysResult.From(Libc.sendto(fd, payload, 100, 0, address, length)).ThrowOnError("sendto");
    }

    // Which namespace this is about, the kernel tells by the writing thread.
    private static void AllowPorts(int first, int last) => File.WriteAllText("/proc/sys/net/ipv4/ip_local_port_range", $"{first} {last}");

    private static void InNamespace(Action test) => NetworkNamespace.Run(() =>
    {
        // nodad: on lo, too, an IPv6 address is tentative, and nobody can bind it, until a kernel worker has had its turn (addrconf_dad_work).
        foreach (string address in (string[])[One + "/32", Two + "/32", "2001:db8::1/128 nodad"]) NetworkNamespace.Shell($"ip address add {address} dev lo");
        test();
    });
}
