namespace FlannelFast.Control.Backends;

/// <summary>
/// Turns many reports of damage into few calls for repair: changes come in bunches (a link takes its routes and neighbours with it), so the
/// first waits a moment for the others. Safe for concurrent use.
/// </summary>
internal sealed class RepairSignal : IDisposable
{
    /// <summary>From the first report to the call.</summary>
    internal static readonly TimeSpan SettleTime = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly Action _repair;
    private readonly ITimer _timer;
    private bool _isPending;
    private bool _disposed;

    /// <param name="time">The clock.</param>
    /// <param name="repair">The call; on a timer's thread.</param>
    internal RepairSignal(TimeProvider time, Action repair)
    {
        _repair = repair;
        _timer = time.CreateTimer(_ => Call(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Something is not as it was left.</summary>
    internal void Report()
    {
        lock (_lock)
        {
            if (_isPending || _disposed) return;
            _isPending = true;
            _timer.Change(SettleTime, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>No call begins after this; one that is under way is not waited for.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            _timer.Dispose();
        }
    }

    private void Call()
    {
        lock (_lock)
        {
            if (_disposed) return;
            // Before the call: what is reported during it may have happened after the repair had looked.
            _isPending = false;
        }
        _repair();
    }
}
