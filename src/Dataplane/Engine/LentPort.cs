using System.Diagnostics;
using System.Net;
using FlannelFast.Dataplane.Express;
using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;
using FlannelFast.Dataplane.Sockets;

namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// The tunnel's port in the hands of the kernel's VXLAN driver. GRO merges what is inside of a UDP tunnel only for a port whose socket has a handler for it (udp_gro_receive), which
/// only drivers can give one; then 45 segments of TCP in VXLAN are one packet before anybody sees them. Meanwhile the engine's sockets are at a port of the kernel's choice,
/// to which <see cref="SteeringProgram"/> brings all that the express lane leaves. Borrowing and taking back lose nothing: each socket is read empty before it goes.
/// </summary>
internal sealed class LentPort
{
    /// <summary>A worker reads thousands of datagrams in this time; one that cannot must not hold up the rest.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(50);

    private readonly WorkerSockets[] _sockets;
    private IDisposable? _borrower;

    private LentPort(WorkerSockets[] sockets, int underlayIndex, NativeFd steering) => (_sockets, UnderlayIndex, Steering) = (sockets, underlayIndex, steering);

    /// <summary>The interface whose datagrams are steered.</summary>
    internal int UnderlayIndex { get; }

    /// <summary>False before <see cref="Lend"/>, and after a <see cref="TakeBack"/> that did not succeed.</summary>
    internal bool IsLent => _borrower is not null;

    /// <summary>The attached program: a lane's must be in front of it.</summary>
    internal NativeFd Steering { get; }

    /// <summary>Moves the sockets away. A poll(2) under way keeps the tunnel's port: workers are to look again before it is lent.</summary>
    /// <param name="sockets">Of all workers.</param>
    /// <param name="options">Those of the engine, its address IPv4.</param>
    /// <param name="underlayIndex">The interface datagrams arrive by.</param>
    /// <param name="noteKey">Of the <see cref="SegmentNote"/>s in what arrives.</param>
    /// <exception cref="IOException">The kernel refused; the sockets are at the tunnel's port.</exception>
    internal static LentPort MoveAside(WorkerSockets[] sockets, EngineOptions options, int underlayIndex, uint noteKey)
    {
        UdpPort[] aside = BindAll(sockets.Length, first => WorkerSockets.BindAside(options, first?.Port ?? 0));
        NativeFd? steering = null;
        try
        {
            using NativeFd program = Bpf.LoadProgram("ff_steering", SteeringProgram.Write((uint)Prefix.ToNumber(options.Local), options.Port, aside[0].Port, noteKey));
            steering = Bpf.Attach(program, underlayIndex, Libc.BPF_TCX_INGRESS);
            var port = new LentPort(sockets, underlayIndex, steering);
            port.Replace(aside);
            return port;
        }
        catch
        {
            // Before the sockets: what it brings to one that nobody reads is lost.
            steering?.Dispose();
            foreach (UdpPort unused in aside) unused.Dispose();
            throw;
        }
    }

    /// <summary>Lends the port.</summary>
    /// <param name="driver">Has the driver listen at the port of the options, until what it returns is disposed of.</param>
    /// <param name="options">Those of the engine.</param>
    /// <exception cref="IOException">The kernel refused.</exception>
    internal void Lend(Func<EngineOptions, IDisposable> driver, EngineOptions options) => _borrower = driver(options);

    /// <summary>Takes the port from the driver and moves the sockets back to it.</summary>
    /// <exception cref="ErrnoException">Somebody else has the port now. Datagrams still reach the engine through the program; try again.</exception>
    internal void TakeBack(EngineOptions options)
    {
        IDisposable? borrower = _borrower;
        // First, so that it is not disposed of again where that throws.
        _borrower = null;
        borrower?.Dispose();
        UdpPort[] own = BindAll(_sockets.Length, _ => WorkerSockets.BindMain(options, absent: true));
        Steering.Dispose();
        Replace(own);
    }

    /// <summary>Takes the port from the driver when the sockets are about to be closed.</summary>
    internal void Abandon()
    {
        _borrower?.Dispose();
        Steering.Dispose();
    }

    /// <summary>Puts sockets in the place of those that get nothing any more, once these have been read empty.</summary>
    private void Replace(UdpPort[] fresh)
    {
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < fresh.Length; i++)
        {
            while (_sockets[i].Main.HasArrivals && Stopwatch.GetElapsedTime(started) < s_patience) Thread.Sleep(1);
            _sockets[i].ReplaceMain(fresh[i]);
        }
    }

    /// <summary>All or none.</summary>
    private static UdpPort[] BindAll(int count, Func<UdpPort?, UdpPort> bind)
    {
        var bound = new List<UdpPort>(count);
        try
        {
            while (bound.Count < count) bound.Add(bind(bound.Count > 0 ? bound[0] : null));
            return [.. bound];
        }
        catch
        {
            foreach (UdpPort one in bound) one.Dispose();
            throw;
        }
    }
}
