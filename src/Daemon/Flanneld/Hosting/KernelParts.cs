using FlannelFast.Control.Backends;
using FlannelFast.Control.Claims;
using FlannelFast.Control.Firewall;
using FlannelFast.Control.Interfaces;
using FlannelFast.Control.Netlink;
using FlannelFast.Control.Processes;
using FlannelFast.Control.Subnets;
using FlannelFast.Control.Systemd;
using FlannelFast.Control.Tunnels;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>The parts of a flanneld on this host: its kernel, its clock, its programs.</summary>
internal static class KernelParts
{
    /// <inheritdoc cref="FlanneldPartsFactory"/>
    internal static FlanneldParts Create(FlanneldOptions options, ILoggerFactory loggers)
    {
        TimeProvider time = TimeProvider.System;
        // Read before NOTIFY_SOCKET is taken out of the environment: the two belong together.
        TimeSpan? watchdog = SystemdNotifier.WatchdogInterval(Environment.GetEnvironmentVariable);
        var netlink = new NetlinkClient();
        return new()
        {
            OpenStore = () => StoreSelection.OpenStore(options.Store, time, loggers, Random.Shared),
            Network = new KernelNetwork(netlink),
            WatchNetwork = notify => new NetlinkMonitor(change =>
            {
                if (change is LinkChanged or LinkRemoved or AddressAdded or AddressRemoved or Overrun or MonitorFailed) notify();
            }),
            Claims = HostClaims.OfThisNamespace(Path.GetDirectoryName(TunnelDefaults.SocketPath)!),
            FindBackend = BackendCatalog.Find,
            Firewall = settings => settings.CreateKeeper(netlink.Routes, new ProgramRunner(), time, loggers),
            Manager = SystemdNotifier.FromEnvironment(),
            WatchdogInterval = watchdog,
            Time = time,
            Random = Random.Shared,
            Owned = [netlink],
        };
    }
}
