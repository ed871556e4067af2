using FlannelFast.Control.Subnets;
using FlannelFast.Control.Systemd;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>
/// Waits for the network config, which people often write after they have started the daemons. Asks once a second for ever, as stock does, but does
/// not fill the log with it.
/// </summary>
internal sealed class ConfigWaiter(ISubnetStore store, TimeProvider time, SystemdNotifier manager, ILogger log)
{
    internal static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    internal async Task<NetworkConfig> WaitAsync(CancellationToken cancel)
    {
        var complaint = new Complaint(time);
        while (true)
        {
            try
            {
                return await store.ReadNetworkConfigAsync(cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (e is NetworkConfigException or StoreUnavailableException)
            {
                if (complaint.IsNews(e.Message))
                {
                    FlanneldLog.WaitingForConfig(log, e.Message);
                    manager.Status($"waiting for the network config: {e.Message}");
                }
            }
            await Task.Delay(Interval, time, cancel).ConfigureAwait(false);
        }
    }
}
