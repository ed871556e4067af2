using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends;

/// <summary>What backends that work through the kernel tell. Next free id: 306.</summary>
internal static partial class BackendLog
{
    [LoggerMessage(301, LogLevel.Warning, "{Device} exists but does not fit ({Difference}); it is made again")]
    internal static partial void DeviceReplaced(this ILogger log, string device, string difference);

    [LoggerMessage(302, LogLevel.Error, "no more notifications of network changes, trying to subscribe again at the next look: {Reason}")]
    internal static partial void MonitorFailed(this ILogger log, string reason);

    [LoggerMessage(303, LogLevel.Warning, "the configured MTU {Configured} is more than {Interface} takes; {Used} is used instead")]
    internal static partial void MtuTooLarge(this ILogger log, int configured, string @interface, int used);

    [LoggerMessage(304, LogLevel.Information, "{Path} cannot be set, left as it is: {Reason}")]
    internal static partial void SysctlRefused(this ILogger log, string path, string reason);

    [LoggerMessage(305, LogLevel.Information, "{Device} is up: VNI {Vni}, port {Port}, from {Local} over {Interface}, VtepMAC {Mac}, MTU {Mtu}")]
    internal static partial void DeviceReady(this ILogger log, string device, uint vni, int port, string local, string @interface, string mac, int mtu);
}
