using System.Diagnostics;
using System.Net;
using FlannelFast.Control.Netlink;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Control.Tunnels;

/// <summary>Carries the hellos of <see cref="Neighbours"/>: a socket on the TUN device, and a thread that listens and keeps the time. Begins with the first <see cref="Attach"/>.</summary>
internal sealed class LaneHellos : IDisposable
{
    /// <summary>Received one after the other; what else is to be done comes in between.</summary>
    private const int MaxBurst = 64;

    private readonly IPEndPoint _here;
    private readonly EventFd _end = new();
    private readonly Thread _thread;
    private volatile LaneHelloSocket? _socket;
    private volatile bool _isOver;
    private int _link;

    /// <param name="address">The device's.</param>
    /// <param name="port">The tunnel's.</param>
    /// <param name="create">Makes the neighbours around what sends.</param>
    internal LaneHellos(IPAddress address, int port, Func<Action<IPAddress, LaneHello>, LaneNeighbours> create)
    {
        _here = new(address, port);
        Neighbours = create((to, hello) => _socket?.Send(to, hello));
        _thread = new(Run) { Name = "lane-hellos", IsBackground = true };
    }

    internal LaneNeighbours Neighbours { get; }

    /// <summary>Listens on a device, which must have the address; does nothing where that is done already. What refuses it is the neighbours' <see cref="LaneNeighbours.Obstacle"/>.</summary>
    internal void Attach(Link device)
    {
        if (_socket is not null && device.Index == _link) return;
        try
        {
            LaneHelloSocket socket = LaneHelloSocket.Bind(device.Name, _here);
            if (_socket is { } present) present.Become(socket);
            else _socket = socket;
        }
        catch (ErrnoException refused)
        {
            Neighbours.Obstacle = refused.Message;
            return;
        }
        (_link, Neighbours.Obstacle) = (device.Index, null);
        if (!_thread.IsAlive) _thread.Start();
    }

    private void Run()
    {
        LaneHelloSocket socket = _socket!;
        long looked = Stopwatch.GetTimestamp();
        while (!_isOver)
        {
            TimeSpan rest = LaneNeighbours.LookInterval - Stopwatch.GetElapsedTime(looked);
            if (rest > TimeSpan.Zero) socket.Wait(_end.Number, rest);
            for (int i = 0; i < MaxBurst && socket.TryReceive(out IPAddress? from, out LaneHello hello); i++)
            {
                if (from is not null) Neighbours.Hear(from, hello);
            }
            if (Stopwatch.GetElapsedTime(looked) < LaneNeighbours.LookInterval) continue;
            looked = Stopwatch.GetTimestamp();
            Neighbours.Look();
        }
    }

    /// <summary>Says that the lane is closed here, and ends.</summary>
    public void Dispose()
    {
        Neighbours.Announce(false);
        _isOver = true;
        _end.Signal();
        if (_thread.IsAlive) _thread.Join();
        _socket?.Dispose();
        _end.Dispose();
    }
}
