using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Flanneld.Hosting;

/// <summary>Messages of flanneld's life, events 120 to 159; the words are stock's where it has some.</summary>
internal static partial class FlanneldLog
{
    [LoggerMessage(120, LogLevel.Information, "flanneld {Version} with {Options}")]
    internal static partial void Started(ILogger log, string version, string options);

    [LoggerMessage(121, LogLevel.Warning, "{Warning}")]
    internal static partial void Warning(ILogger log, string warning);

    [LoggerMessage(122, LogLevel.Error, "couldn't fetch network config, trying on every second: {Reason}")]
    internal static partial void WaitingForConfig(ILogger log, string reason);

    [LoggerMessage(123, LogLevel.Information, "found network config in {Store}: {Network}, backend type {Backend}")]
    internal static partial void ConfigFound(ILogger log, string store, string network, string backend);

    [LoggerMessage(124, LogLevel.Error, "couldn't acquire a lease, trying on: {Reason}")]
    internal static partial void WaitingForLease(ILogger log, string reason);

    [LoggerMessage(125, LogLevel.Information, "lease acquired: {Subnet}")]
    internal static partial void LeaseAcquired(ILogger log, string subnet);

    [LoggerMessage(126, LogLevel.Information, "wrote subnet file to {Path}")]
    internal static partial void SubnetFileWritten(ILogger log, string path);

    [LoggerMessage(127, LogLevel.Warning, "failed to write subnet file, trying on: {Reason}")]
    internal static partial void SubnetFileFailed(ILogger log, string reason);

    [LoggerMessage(128, LogLevel.Warning, "no subnet found in the subnet file: {Reason}")]
    internal static partial void SubnetFileUnreadable(ILogger log, string reason);

    [LoggerMessage(129, LogLevel.Information, "ready: {Summary}; control socket {Socket}; after {Milliseconds} ms")]
    internal static partial void Ready(ILogger log, string summary, string socket, long milliseconds);

    [LoggerMessage(130, LogLevel.Error, "lease has been revoked, shutting down daemon: {Reason}")]
    internal static partial void LeaseLost(ILogger log, string reason);

    [LoggerMessage(131, LogLevel.Information, "exiting cleanly")]
    internal static partial void Exiting(ILogger log);

    [LoggerMessage(132, LogLevel.Critical, "{Reason}")]
    internal static partial void Fatal(ILogger log, string reason);

    [LoggerMessage(133, LogLevel.Information, "health server at http://{EndPoint}/healthz and /readyz")]
    internal static partial void HealthServer(ILogger log, string endPoint);

    [LoggerMessage(134, LogLevel.Debug, "the daemon failed")]
    internal static partial void Failed(ILogger log, Exception exception);

    [LoggerMessage(136, LogLevel.Information, "backend {Backend}, data path: {DataPath}")]
    internal static partial void DataPath(ILogger log, string backend, string dataPath);

    [LoggerMessage(135, LogLevel.Information, "MTU for pods is {Mtu} from now on; running pods keep theirs")]
    internal static partial void MtuChanged(ILogger log, int mtu);
}
