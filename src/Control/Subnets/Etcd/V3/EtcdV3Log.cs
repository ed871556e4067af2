using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>Messages of the v3 API, events 510 to 529.</summary>
internal static partial class EtcdV3Log
{
    [LoggerMessage(510, LogLevel.Warning, "etcd: {Endpoint} fails: {Reason}")]
    internal static partial void EndpointFails(ILogger log, string endpoint, string reason);

    [LoggerMessage(511, LogLevel.Information, "etcd: {Endpoint} works again")]
    internal static partial void EndpointWorks(ILogger log, string endpoint);

    [LoggerMessage(512, LogLevel.Warning, "etcd: authentication is off there: user {User} is not used")]
    internal static partial void AuthenticationIsOff(ILogger log, string user);

    [LoggerMessage(513, LogLevel.Debug, "etcd: lease {Lease:x} could not be revoked and will run out by itself: {Reason}")]
    internal static partial void RevokeFailed(ILogger log, long lease, string reason);

    [LoggerMessage(514, LogLevel.Warning, "etcd: the time to live of {Count} of {Total} leases could not be read: {Reason}")]
    internal static partial void TimeToLiveUnknown(ILogger log, int count, int total, string reason);
}
