using FlannelFast.Control.Netlink;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends;

/// <summary>
/// Listens to the kernel for a backend and signals when something that the backend set up is not so any more. Belongs to the network
/// namespace of the threads that make it and call <see cref="Renew"/>.
/// </summary>
internal sealed class HostMonitor : IDisposable
{
    private readonly Func<NetworkChange, bool> _isDamage;
    private readonly ILogger _log;
    private readonly RepairSignal _signal;
    private readonly Func<Action<NetworkChange>, IDisposable> _subscribe;
    private IDisposable _subscription;
    private volatile bool _failed;

    /// <summary>Subscribes.</summary>
    /// <param name="isDamage">Whether a change contradicts what was set up; called on the monitor's thread.</param>
    /// <param name="repairNeeded">Called some milliseconds after such a change, on any thread.</param>
    /// <param name="log">Where a lost subscription is told.</param>
    /// <param name="neighbours">Listen to neighbours and forwarding entries too; where pods come and go there are many.</param>
    /// <exception cref="NetlinkException">The subscription is refused.</exception>
    internal HostMonitor(Func<NetworkChange, bool> isDamage, Action repairNeeded, ILogger log, bool neighbours)
        : this(isDamage, repairNeeded, log, TimeProvider.System, onChange => neighbours ? NetlinkMonitor.WithNeighbours(onChange) : new(onChange))
    {
    }

    /// <summary>Uses another clock and another source of changes.</summary>
    internal HostMonitor(Func<NetworkChange, bool> isDamage, Action repairNeeded, ILogger log, TimeProvider time, Func<Action<NetworkChange>, IDisposable> subscribe)
    {
        _isDamage = isDamage;
        _log = log;
        _signal = new(time, repairNeeded);
        _subscribe = subscribe;
        _subscription = subscribe(OnChange);
    }

    /// <summary>Asks for a repair although nothing was notified.</summary>
    internal void Report() => _signal.Report();

    /// <summary>Subscribes again where the subscription was lost. To be called before the host's state is read.</summary>
    /// <exception cref="NetlinkException">The subscription is refused.</exception>
    internal void Renew()
    {
        if (!_failed) return;
        _subscription.Dispose();
        _subscription = _subscribe(OnChange);
        _failed = false;
    }

    public void Dispose()
    {
        _subscription.Dispose();
        _signal.Dispose();
    }

    private void OnChange(NetworkChange change)
    {
        if (change is MonitorFailed failed)
        {
            _failed = true;
            _log.MonitorFailed(failed.Error.Message);
        }
        if (change is Overrun or MonitorFailed || _isDamage(change)) _signal.Report();
    }
}
