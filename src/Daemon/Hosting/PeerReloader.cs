using FlannelFast.Control.Systemd;
using FlannelFast.Control.Tunnels;
using FlannelFast.Dataplane.Peers;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Hosting;

/// <summary>Reads the peers of the configuration file again. A file that is wrong anywhere changes nothing.</summary>
internal sealed class PeerReloader(TunnelConfig running, string? path, PeerEditor peers, SystemdNotifier manager, ILogger log)
{
    /// <summary>Reads the file and publishes its peers. Never throws: the running tunnel is worth more than the new file.</summary>
    internal void Reload()
    {
        if (path is null)
        {
            HostLog.NothingToReload(log);
            return;
        }
        manager.Reloading();
        try
        {
            (IReadOnlyList<Peer> fresh, bool isSameTunnel) = TunnelSettingsFile.LoadPeers(path, running);
            if (!isSameTunnel) HostLog.RestartNeeded(log, path);
            PeerChange change = peers.Replace(fresh);
            HostLog.Reloaded(log, path, change.Added, change.Changed, change.Removed, change.Unchanged);
            manager.Ready($"{fresh.Count} peers, read from {path}");
        }
        catch (Exception e)
        {
            HostLog.ReloadRefused(log, e.Message);
            manager.Ready($"running with the peers from before; {path} was refused");
        }
    }
}
