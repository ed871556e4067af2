using FlannelFast.Control.Systemd;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>Tells the service manager that the daemon is alive, for as long as it is: a daemon whose leases are no longer applied is to be restarted.</summary>
/// <param name="manager">The service manager.</param>
/// <param name="interval">How long the manager waits.</param>
/// <param name="isAlive">Asked each time.</param>
/// <param name="time">The clock.</param>
internal sealed class Watchdog(SystemdNotifier manager, TimeSpan interval, Func<bool> isAlive, TimeProvider time)
{
    /// <summary>Runs until cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancel)
    {
        // Half of it, as sd_watchdog_enabled(3) recommends.
        using var timer = new PeriodicTimer(interval / 2, time);
        do
        {
            if (isAlive()) manager.Watchdog();
        }
        while (await timer.WaitForNextTickAsync(cancel).ConfigureAwait(false));
    }
}
