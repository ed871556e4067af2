using FlannelFast.Control.Subnets;
using FlannelFast.Control.Systemd;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>
/// Gets the lease. Stock ends where it cannot be had at once, and its service manager starts it again and again; here one process waits, which asks the
/// store less and is seen in the log once.
/// </summary>
internal sealed class LeaseWaiter(ISubnetStore store, TimeProvider time, SystemdNotifier manager, ILogger log)
{
    private static readonly TimeSpan s_storeInterval = TimeSpan.FromSeconds(1);

    /// <summary>Subnets come free when leases of a day run out: nothing is won by asking more often.</summary>
    private static readonly TimeSpan s_subnetInterval = TimeSpan.FromSeconds(10);

    internal async Task<Lease> WaitAsync(LeaseRequest request, CancellationToken cancel)
    {
        var complaint = new Complaint(time);
        while (true)
        {
            TimeSpan interval;
            try
            {
                return await store.AcquireAsync(request, cancel).ConfigureAwait(false);
            }
            catch (StoreUnavailableException e)
            {
                Tell(e.Message);
                interval = s_storeInterval;
            }
            catch (LeaseException e)
            {
                Tell(e.Message);
                interval = s_subnetInterval;
            }
            await Task.Delay(interval, time, cancel).ConfigureAwait(false);
        }

        void Tell(string reason)
        {
            if (!complaint.IsNews(reason)) return;
            FlanneldLog.WaitingForLease(log, reason);
            manager.Status($"waiting for a subnet: {reason}");
        }
    }
}
