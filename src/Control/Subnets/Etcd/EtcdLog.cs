using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd;

/// <summary>Messages about etcd that both APIs share, events 500 to 509.</summary>
internal static partial class EtcdLog
{
    [LoggerMessage(500, LogLevel.Warning, "etcd: {Warning}")]
    internal static partial void OptionIgnored(ILogger log, string warning);

    [LoggerMessage(501, LogLevel.Information, "etcd: TLS files have changed and are used from the next connection on")]
    internal static partial void TlsReloaded(ILogger log);

    [LoggerMessage(502, LogLevel.Error, "etcd: TLS files have changed but cannot be used, so the previous ones are kept: {Reason}")]
    internal static partial void TlsReloadFailed(ILogger log, string reason);

    [LoggerMessage(503, LogLevel.Warning, "etcd: {Endpoint} fails: {Reason}")]
    internal static partial void EndpointFails(ILogger log, string endpoint, string reason);

    [LoggerMessage(504, LogLevel.Information, "etcd: {Endpoint} works again")]
    internal static partial void EndpointWorks(ILogger log, string endpoint);

    [LoggerMessage(505, LogLevel.Information, "the network config was found in {Store}, which is used from here on")]
    internal static partial void ApiChosen(ILogger log, string store);
}
