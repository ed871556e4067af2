using FlannelFast.Dataplane.Interop;
using FlannelFast.Dataplane.Peers;

namespace FlannelFast.Dataplane.Engine;

/// <summary>
/// One thread of the engine with its TUN queue, socket, buffers and counters: the part that does not depend on the wire
/// format. Other threads only publish peer tables and the MTU, read counters, and ask it to stop or to use its queue again.
/// </summary>
internal abstract class Worker : IDisposable
{
    private readonly EventFd _control;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PeerTable _peers;
    private volatile bool _stopping;
    private volatile bool _tunAttached = true;
    private volatile int _kernelThread;
    private volatile int _deviceMtu = int.MaxValue;
    private volatile bool _avoidsRealTime;

    /// <param name="index">0-based number.</param>
    /// <param name="control">Wakes the worker; owned from here on.</param>
    /// <param name="peers">The table to start with.</param>
    protected Worker(int index, EventFd control, PeerTable peers)
    {
        Index = index;
        _control = control;
        _peers = peers;
        _thread = new Thread(Run, maxStackSize: 512 * 1024) { Name = $"worker {index}", IsBackground = true };
    }

    /// <summary>0-based number of the worker, its queue and its socket.</summary>
    internal int Index { get; }

    /// <summary>Ends when the worker stopped; faulted when it failed.</summary>
    internal Task Completion => _completion.Task;

    /// <summary>The loop found its TUN device deleted (EBADFD); it keeps receiving and waits for <see cref="ReattachTun"/>.</summary>
    internal bool TunLost => !_tunAttached;

    /// <summary>Called on the worker's thread, once per loss. Must return at once.</summary>
    internal Action? OnTunLost { get; set; }

    /// <summary>UDP_SEGMENT is in use; turns false when the kernel refuses it.</summary>
    internal abstract bool UsesUdpSegment { get; }

    /// <summary>MTU of the TUN device in bytes, for the next packet; before anybody told, no packet is longer.</summary>
    internal int DeviceMtu
    {
        get => _deviceMtu;
        set => _deviceMtu = value;
    }

    /// <summary>The host lets the worker run in real time while it is busy; false before the loop has asked.</summary>
    internal bool UsesRealTime { get; private protected set; }

    /// <summary>The worker is to stay an ordinary thread all the same.</summary>
    internal bool AvoidsRealTime
    {
        get => _avoidsRealTime;
        set => _avoidsRealTime = value;
    }

    /// <summary>A reading of the counters.</summary>
    internal abstract WorkerStatus ReadStatus();

    /// <summary>Managed bytes the loop has allocated.</summary>
    internal abstract long AllocatedBytes { get; }

    /// <summary>The table to use for the next burst.</summary>
    protected PeerTable Peers => Volatile.Read(ref _peers);

    protected bool IsStopping => _stopping;

    protected bool IsTunAttached => _tunAttached;

    internal void Start() => _thread.Start();

    /// <summary>Publishes a snapshot; the worker uses it from its next burst on.</summary>
    internal void Publish(PeerTable peers) => Volatile.Write(ref _peers, peers);

    /// <summary>The TUN queue has a device again.</summary>
    internal void ReattachTun()
    {
        _tunAttached = true;
        _control.Signal();
    }

    /// <summary>The socket behind the descriptor is another one: a poll(2) under way still waits for the old one.</summary>
    internal void LookAgain() => _control.Signal();

    /// <summary>Asks the loop to finish its burst and end, and waits for it.</summary>
    internal void Stop()
    {
        _stopping = true;
        if (!_thread.IsAlive || HasVanished()) return;
        _control.Signal();
        _thread.Join();
    }

    /// <summary>
    /// Fails the worker whose thread the kernel has ended, as it does alone with the one in whose system call it finds a fault of its own ("kernel BUG", "Oops" in its log). Nobody is told,
    /// and the process would go on without its packets. Any thread.
    /// </summary>
    internal void CheckThread()
    {
        if (HasVanished()) _completion.TrySetException(new IOException($"worker {Index}: the kernel has ended its thread, its log (dmesg) says why"));
    }

    private bool HasVanished() =>
        _kernelThread != 0 && !Directory.Exists($"/proc/self/task/{_kernelThread}") && !_completion.Task.IsCompletedSuccessfully;

    protected void LoseTun()
    {
        _tunAttached = false;
        OnTunLost?.Invoke();
    }

    /// <summary>The loop: no try, no allocation, no lock. Returns when <see cref="IsStopping"/>.</summary>
    protected abstract void Loop();

    private void Run()
    {
        _kernelThread = Libc.gettid();
        Libc.NameThread($"worker {Index}");
        // Pauses of tens of microseconds are pointless with the default slack of 50.
        _ = Libc.prctl(Libc.PR_SET_TIMERSLACK, 1, 0, 0, 0);
        try
        {
            Loop();
            _completion.SetResult();
        }
#pragma warning disable CA1031 // Whatever it is ends this worker; the owner learns of it and ends the tunnel.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _completion.SetException(failure);
        }
    }

    /// <summary>Frees the worker's own descriptor and memory. Only after <see cref="Stop"/>.</summary>
    public virtual void Dispose() => _control.Dispose();
}
