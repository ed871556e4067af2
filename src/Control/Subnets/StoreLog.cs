using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>What is told of leases and the store they are kept in, events 500 to 549. Next free id: 521.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(500, LogLevel.Warning, "key {Key} of the store is not used: it {Reason}")]
    internal static partial void KeyRefused(this ILogger log, string key, string reason);

    [LoggerMessage(501, LogLevel.Warning, "{Count} more keys of the store are not used")]
    internal static partial void MoreKeysRefused(this ILogger log, int count);

    [LoggerMessage(502, LogLevel.Warning, "the store does not answer, going on with the leases known and trying again: {Reason}")]
    internal static partial void StoreAway(this ILogger log, string reason);

    [LoggerMessage(503, LogLevel.Information, "the store answers again, after {Seconds} s")]
    internal static partial void StoreBack(this ILogger log, long seconds);

    [LoggerMessage(504, LogLevel.Information, "the changes since the last read cannot be had from the store, reading all leases again: {Reason}")]
    internal static partial void HistoryLost(this ILogger log, string reason);

    [LoggerMessage(505, LogLevel.Warning, "the store answered with revision {Revision} after {Known}: not believed yet, asking again")]
    internal static partial void RevisionBackwards(this ILogger log, long revision, long known);

    [LoggerMessage(506, LogLevel.Warning, "the store has gone back to revision {Revision} from {Known}, it was restored as it seems: its leases count")]
    internal static partial void StoreRestored(this ILogger log, long revision, long known);

    [LoggerMessage(507, LogLevel.Information, "lease of {Subnet} found for {Address}, keeping it")]
    internal static partial void LeaseKept(this ILogger log, LeasedSubnet subnet, string address);

    [LoggerMessage(508, LogLevel.Information, "lease of {Subnet} taken, {Choice}")]
    internal static partial void LeaseTaken(this ILogger log, LeasedSubnet subnet, string choice);

    [LoggerMessage(509, LogLevel.Warning, "lease of {Subnet} is this host's and cannot be used: {Reason}; {Consequence}")]
    internal static partial void OwnLeaseUnfit(this ILogger log, LeasedSubnet subnet, string reason, string consequence);

    [LoggerMessage(520, LogLevel.Warning, "the key of this host's lease of {Subnet} was overwritten with what is no lease; the lease is written again")]
    internal static partial void OwnKeySpoilt(this ILogger log, LeasedSubnet subnet);

    [LoggerMessage(510, LogLevel.Warning, "subnet {Subnet}, which this host had before, is not taken again: {Reason}")]
    internal static partial void PreviousNotTaken(this ILogger log, LeasedSubnet subnet, string reason);
}
