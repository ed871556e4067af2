using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Tunnels;

/// <summary>What a running tunnel tells. Next free id: 108.</summary>
internal static partial class TunnelLog
{
    [LoggerMessage(101, LogLevel.Warning, "{Device} was deleted and has been made again")]
    internal static partial void DeviceRecreated(this ILogger log, string device);

    [LoggerMessage(102, LogLevel.Warning, "{Device} was not as it should be; set: {Changes}")]
    internal static partial void DeviceRepaired(this ILogger log, string device, string changes);

    [LoggerMessage(103, LogLevel.Error, "{Device} cannot be restored, trying on: {Reason}")]
    internal static partial void RepairFailed(this ILogger log, string device, string reason);

    [LoggerMessage(104, LogLevel.Error, "no more notifications of network changes, looking every 30 s instead: {Reason}")]
    internal static partial void MonitorFailed(this ILogger log, string reason);

    [LoggerMessage(105, LogLevel.Warning, "flows leave from {Count} source ports instead of {Wanted}: {Reason}")]
    internal static partial void SourcePortsMissing(this ILogger log, int count, int wanted, string reason);

    [LoggerMessage(106, LogLevel.Information, "express lane open: {Device} <-> {Underlay}, {Carries}, for {Peers}")]
    internal static partial void ExpressLaneOpen(this ILogger log, string device, string underlay, string carries, string peers);

    [LoggerMessage(107, LogLevel.Information, "express lane closed: {Reason}")]
    internal static partial void ExpressLaneClosed(this ILogger log, string reason);

    [LoggerMessage(108, LogLevel.Information, "express lane without {What} over {Underlay}: {Reason}")]
    internal static partial void LaneWithout(this ILogger log, string what, string underlay, string reason);
}
