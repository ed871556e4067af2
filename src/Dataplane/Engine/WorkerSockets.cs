using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Sockets;

namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// The sockets of one worker: the one of the tunnel's port, which receives and sends, and those that only send, one for each further source
/// port. Owns all of them. The descriptors stay the same for life, whatever address the sockets behind them have.
/// </summary>
internal sealed class WorkerSockets : IDisposable
{
    private readonly UdpPort[] _senders;
    private readonly string? _shortageAtStart;
    private readonly Lock _gate = new();
    private long _overflowBefore;

    private WorkerSockets(UdpPort main, UdpPort[] senders, string? shortage)
    {
        Main = main;
        _senders = senders;
        Shortage = _shortageAtStart = shortage;
        SourcePorts = 1 + senders.Length;
        Fds = [main.Fd, .. senders.Select(sender => sender.Fd)];
    }

    /// <summary>The socket of the tunnel's port.</summary>
    internal UdpPort Main { get; }

    /// <summary>The descriptors by source: <see cref="Main"/>, then the others.</summary>
    internal int[] Fds { get; }

    /// <summary>Different ports in use, at least 1, at most as many as <see cref="Fds"/>.</summary>
    internal int SourcePorts { get; private set; }

    /// <summary>What the kernel answered instead of a further source port; null when all are there.</summary>
    internal string? Shortage { get; private set; }

    /// <summary>
    /// Binds the sockets. Only the first one is needed: where the kernel refuses another, it does with those it has; where descriptors run out, with the
    /// first, because others need them more (netlink, the control socket).
    /// </summary>
    /// <exception cref="ErrnoException">The tunnel's port cannot be had.</exception>
    internal static WorkerSockets Bind(EngineOptions options) => Bind(options, WantedSources(options));

    private static WorkerSockets Bind(EngineOptions options, int sources)
    {
        UdpPort main = BindMain(options);
        var senders = new List<UdpPort>();
        try
        {
            while (1 + senders.Count < sources) senders.Add(UdpPort.BindSender(options.Local, options.SocketBuffer));
            return new(main, [.. senders], null);
        }
        catch (ErrnoException refused)
        {
            if (refused.Errno is Errno.EMFILE or Errno.ENFILE)
            {
                foreach (UdpPort sender in senders) sender.Dispose();
                senders.Clear();
            }
            return new(main, [.. senders], refused.Message);
        }
    }

    /// <summary>Binds a socket of the tunnel's port to take <see cref="Main"/>'s place.</summary>
    /// <exception cref="ErrnoException">The port cannot be had.</exception>
    internal static UdpPort BindMain(EngineOptions options, bool absent = false) =>
        UdpPort.Bind(options.Local, options.Port, options.Queues > 1, options.SocketBuffer, options.UdpGro, options.UdpSegment, absent: absent);

    /// <summary>Binds one of another port that takes nothing but the datagrams of the tunnel's port.</summary>
    /// <param name="options">Those of the engine.</param>
    /// <param name="port">0 for the kernel's choice.</param>
    /// <exception cref="ErrnoException">The kernel refused.</exception>
    internal static UdpPort BindAside(EngineOptions options, int port) =>
        UdpPort.Bind(options.Local, port, options.Queues > 1, options.SocketBuffer, options.UdpGro, options.UdpSegment, onlyFor: options.Port);

    /// <summary>How many source ports the options ask for.</summary>
    internal static int WantedSources(EngineOptions options) => options.Encapsulation == EncapsulationKind.Vxlan ? options.SourcePorts : 1;

    /// <summary>Binds sockets to take the place of these at another address, as many as there are descriptors.</summary>
    /// <exception cref="ErrnoException">The tunnel's port cannot be had there.</exception>
    internal WorkerSockets BindAnew(EngineOptions options) => Bind(options, Fds.Length);

    /// <summary>Puts other sockets behind the descriptors of these; takes them over. Where they are fewer, the tunnel's port stands in for the rest.</summary>
    internal void Become(WorkerSockets other)
    {
        ReplaceMain(other.Main);
        for (int i = 0; i < _senders.Length; i++)
        {
            if (i < other._senders.Length) _senders[i].Become(other._senders[i]);
            else _senders[i].StandFor(Main);
        }
        SourcePorts = other.SourcePorts;
        // What was missing from the start has no descriptor here: that is not asked for again.
        Shortage = other.Shortage ?? _shortageAtStart;
    }

    /// <summary>Puts another socket behind the descriptor of <see cref="Main"/>; takes it over.</summary>
    internal void ReplaceMain(UdpPort other)
    {
        lock (_gate)
        {
            uint overflow = Main.ReadDrops();
            Main.Become(other);
            _overflowBefore += overflow;
        }
        // Those that it stands in for have no socket of their own.
        for (int i = SourcePorts - 1; i < _senders.Length; i++) _senders[i].StandFor(Main);
    }

    /// <summary>Datagrams the kernel has dropped at the socket of the tunnel's port, those at its predecessors included. Any thread.</summary>
    internal long ReadOverflow()
    {
        lock (_gate) return _overflowBefore + Main.ReadDrops();
    }

    public void Dispose()
    {
        foreach (UdpPort sender in _senders) sender.Dispose();
        Main.Dispose();
    }
}
