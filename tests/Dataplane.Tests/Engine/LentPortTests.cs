using System.Net;
using System.Net.Sockets;
using FlannelFast.Control.Tests.Netlink;
using FlannelFast.Dataplane.Engine;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Dataplane.Tests.Engine;

/// <summary>The tunnel's port in other hands, on the loopback interface of a namespace; a plain socket has the part of the driver.</summary>
public sealed unsafe class LentPortTests
{
    private const int Loopback = 1, Port = 8472;
    private const uint NoteKey = 0x12345679;

    private static readonly IPAddress s_one = IPAddress.Parse("192.0.2.1"), s_two = IPAddress.Parse("192.0.2.2");

    private static readonly EngineOptions s_options = new() { Encapsulation = EncapsulationKind.Vxlan, Local = s_one, Port = Port, Queues = 2 };

    [Fact]
    public void Datagrams_reach_the_workers_whoever_has_the_port() => InNamespace(sockets =>
    {
        Assert.Equal(200, SendAndCount(sockets, 200));
        LentPort lent = LentPort.MoveAside(sockets, s_options, Loopback, NoteKey);
        Assert.Equal(200, SendAndCount(sockets, 200));
        using Socket driver = Lend(lent);
        Assert.True(lent.IsLent);
        Assert.Equal(200, SendAndCount(sockets, 200));
        Assert.Equal(0, driver.Available);
        Assert.Single(sockets.Select(one => one.Main.Port).Distinct());
        Assert.NotEqual(Port, sockets[0].Main.Port);
        lent.TakeBack(s_options);
        Assert.Equal(200, SendAndCount(sockets, 200));
        Assert.All(sockets, one => Assert.Equal(Port, one.Main.Port));
    });

    /// <summary>A sender's datagrams always reach the same worker, or they would overtake one another.</summary>
    [Fact]
    public void A_sender_keeps_its_worker() => InNamespace(sockets =>
    {
        LentPort lent = LentPort.MoveAside(sockets, s_options, Loopback, NoteKey);
        using Socket driver = Lend(lent);
        var shares = new HashSet<int>();
        for (int sender = 0; sender < 30; sender++)
        {
            using Socket from = Bind(s_two, 0);
            for (int i = 0; i < 20; i++) from.SendTo(new byte[100], new IPEndPoint(s_one, Port));
            shares.Add(Drain(sockets[0]));
            Assert.Contains(Drain(sockets[1]), (int[])[0, 20]);
        }
        Assert.Equal([0, 20], shares.Order());
        lent.Abandon();
    });

    /// <summary>What a program that looks at one packet cannot tell: it arrives where the port is.</summary>
    [Fact]
    public void Fragments_go_to_whoever_has_the_port() => InNamespace(sockets =>
    {
        NetworkNamespace.Shell("ip link set lo mtu 1500");
        LentPort lent = LentPort.MoveAside(sockets, s_options, Loopback, NoteKey);
        using Socket driver = Lend(lent);
        using Socket from = Bind(s_two, 0);
        from.SendTo(new byte[3000], new IPEndPoint(s_one, Port));
        Assert.Equal(3000, driver.Receive(new byte[5000]));
        // IP options, as a router's record of the way, are none of its business.
        from.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.IPOptions, [7, 7, 4, 0, 0, 0, 0, 0]);
        from.SendTo(new byte[1000], new IPEndPoint(s_one, Port));
        Assert.Equal(1, sockets.Sum(Drain));
        lent.Abandon();
    });

    [Fact]
    public void Nobody_gets_in_by_the_port_aside() => InNamespace(sockets =>
    {
        LentPort lent = LentPort.MoveAside(sockets, s_options, Loopback, NoteKey);
        using Socket stranger = Bind(s_two, 0);
        for (int i = 0; i < 100; i++) stranger.SendTo(new byte[100], new IPEndPoint(s_one, sockets[0].Main.Port));
        Assert.Equal(0, sockets.Sum(Drain));
        Assert.Equal(10, SendAndCount(sockets, 10));
        lent.Abandon();
    });

    /// <summary>Other ports, other addresses, other protocols: not ours.</summary>
    [Fact]
    public void Nothing_else_is_taken() => InNamespace(sockets =>
    {
        LentPort lent = LentPort.MoveAside(sockets, s_options, Loopback, NoteKey);
        using Socket otherPort = Bind(s_one, Port + 1), otherAddress = Bind(s_two, Port), from = Bind(s_two, 0);
        from.SendTo(new byte[100], otherPort.LocalEndPoint!);
        from.SendTo(new byte[100], otherAddress.LocalEndPoint!);
        Assert.Equal((100, 100, 0), (otherPort.Receive(new byte[200]), otherAddress.Receive(new byte[200]), sockets.Sum(Drain)));
        NetworkNamespace.Shell("ping -c 2 -i 0.01 -W 1 192.0.2.1");
        lent.Abandon();
    });

    [Fact]
    public void A_port_that_somebody_else_took_is_taken_back_later() => InNamespace(sockets =>
    {
        LentPort lent = LentPort.MoveAside(sockets, s_options, Loopback, NoteKey);
        // One that ends without giving it up, as if somebody were quicker than we.
        Socket thief = Bind(IPAddress.Any, Port);
        lent.Lend(_ => new MemoryStream(), s_options);
        Assert.Equal(Errno.EADDRINUSE, Assert.Throws<ErrnoException>(() => lent.TakeBack(s_options)).Errno);
        Assert.False(lent.IsLent);
        Assert.Equal(50, SendAndCount(sockets, 50));
        thief.Dispose();
        lent.TakeBack(s_options);
        Assert.Equal(50, SendAndCount(sockets, 50));
    });

    /// <summary>A driver that cannot be ended properly has ended all the same.</summary>
    [Fact]
    public void A_driver_is_ended_once() => InNamespace(sockets =>
    {
        LentPort lent = LentPort.MoveAside(sockets, s_options, Loopback, NoteKey);
        lent.Lend(_ => new Stubborn(), s_options);
        Assert.Throws<IOException>(() => lent.TakeBack(s_options));
        Assert.False(lent.IsLent);
        lent.TakeBack(s_options);
        Assert.Equal(50, SendAndCount(sockets, 50));
    });

    [Fact]
    public void The_port_comes_back_while_the_address_is_away() => InNamespace(sockets =>
    {
        LentPort lent = LentPort.MoveAside(sockets, s_options, Loopback, NoteKey);
        using Socket driver = Lend(lent);
        NetworkNamespace.Shell("ip address delete 192.0.2.1/32 dev lo");
        lent.TakeBack(s_options);
        NetworkNamespace.Shell("ip address add 192.0.2.1/32 dev lo");
        Assert.Equal(50, SendAndCount(sockets, 50));
    });

    /// <summary>Back and forth under a stream of datagrams: each arrives, once.</summary>
    [Fact]
    public void Nothing_is_lost_on_the_way() => InNamespace(sockets =>
    {
        const int Count = 30_000;
        int received = 0;
        using var ended = new CancellationTokenSource();
        var reader = new Thread(() =>
        {
            while (!ended.IsCancellationRequested) received += sockets.Sum(Drain);
            received += sockets.Sum(Drain);
        });
        using Socket from = Bind(s_two, 0);
        var writer = new Thread(() =>
        {
            for (int i = 0; i < Count; i++)
            {
                from.SendTo(new byte[100], new IPEndPoint(s_one, Port));
                if (i % 50 == 0) Thread.Sleep(1);
            }
        });
        reader.Start();
        writer.Start();
        int moves = 0;
        while (writer.IsAlive)
        {
            LentPort lent = LentPort.MoveAside(sockets, s_options, Loopback, NoteKey);
            Socket driver = Lend(lent);
            lent.TakeBack(s_options);
            Assert.Throws<ObjectDisposedException>(() => driver.Available);
            moves++;
        }
        ended.Cancel();
        reader.Join();
        Assert.InRange(moves, 5, int.MaxValue);
        Assert.Equal(Count, received);
    });

    private sealed class Stubborn : IDisposable
    {
        public void Dispose() => throw new IOException("refused");
    }

    private static Socket Lend(LentPort lent)
    {
        Socket? driver = null;
        lent.Lend(options => driver = PortInUse.Outlast(() => Bind(IPAddress.Any, options.Port)), s_options);
        return driver!;
    }

    private static int SendAndCount(WorkerSockets[] sockets, int count)
    {
        for (int i = 0; i < count; i++)
        {
            using Socket from = Bind(s_two, 0);
            from.SendTo(new byte[100], new IPEndPoint(s_one, Port));
        }
        return sockets.Sum(Drain);
    }

    private static int Drain(WorkerSockets sockets)
    {
        byte* datagram = stackalloc byte[4096];
        int count = 0;
        while (Libc.read(sockets.Main.Fd, datagram, 4096) >= 0) count++;
        return count;
    }

    private static Socket Bind(IPAddress address, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Bind(new IPEndPoint(address, port));
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void InNamespace(Action<WorkerSockets[]> test) => NetworkNamespace.Run(() =>
    {
        foreach (IPAddress address in (IPAddress[])[s_one, s_two]) NetworkNamespace.Shell($"ip address add {address}/32 dev lo");
        using WorkerSockets first = WorkerSockets.Bind(s_options), second = WorkerSockets.Bind(s_options);
        test([first, second]);
    });
}
