using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets.Etcd.V3;

/// <summary>Messages of the v3 API, events 510 to 529.</summary>
internal static partial class EtcdV3Log
{
    [LoggerMessage(512, LogLevel.Warning, "etcd: authentication is off there: user {User} is not used")]
    internal static partial void AuthenticationIsOff(ILogger log, string user);

    [LoggerMessage(513, LogLevel.Debug, "etcd: lease {Lease:x} could not be revoked and will run out by itself: {Reason}")]
    internal static partial void RevokeFailed(ILogger log, long lease, string reason);

    [LoggerMessage(514, LogLevel.Warning, "etcd: the time to live of {Count} of {Total} leases could not be read: {Reason}")]
    internal static partial void TimeToLiveUnknown(ILogger log, int count, int total, string reason);
}
