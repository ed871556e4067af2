using Microsoft.Extensions.Logging;

namespace FlannelFast.Daemon.Hosting;

/// <summary>Messages of the daemon's life, events 100 to 199.</summary>
internal static partial class HostLog
{
    [LoggerMessage(100, LogLevel.Information, "ready: {Tunnel}; control socket {Socket}; after {Milliseconds} ms")]
    internal static partial void Ready(ILogger log, string tunnel, string socket, long milliseconds);

    [LoggerMessage(101, LogLevel.Information, "stopping")]
    internal static partial void Stopping(ILogger log);

    [LoggerMessage(102, LogLevel.Critical, "the data path died: {Reason}")]
    internal static partial void DataPathDied(ILogger log, string reason);

    [LoggerMessage(103, LogLevel.Debug, "start failed")]
    internal static partial void StartFailed(ILogger log, Exception exception);

    [LoggerMessage(104, LogLevel.Critical, "the daemon failed")]
    internal static partial void Failed(ILogger log, Exception exception);

    [LoggerMessage(110, LogLevel.Information, "peers read from {File}: {Added} added, {Changed} changed, {Removed} removed, {Unchanged} unchanged")]
    internal static partial void Reloaded(ILogger log, string file, int added, int changed, int removed, int unchanged);

    [LoggerMessage(111, LogLevel.Error, "peers not read again, the running ones stay: {Reason}")]
    internal static partial void ReloadRefused(ILogger log, string reason);

    [LoggerMessage(112, LogLevel.Warning, "nothing to read again: the tunnel was configured by flags, not by --config")]
    internal static partial void NothingToReload(ILogger log);

    [LoggerMessage(113, LogLevel.Warning, "{File} describes another tunnel than the running one; only its peers are taken, the rest waits for a restart")]
    internal static partial void RestartNeeded(ILogger log, string file);
}
