using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>What is told of this host's own lease, events 550 to 599. Next free id: 557.</summary>
internal static partial class LeaseKeeperLog
{
    [LoggerMessage(550, LogLevel.Information, "lease of {Subnet} renewed, ends in {Minutes} minutes")]
    internal static partial void Renewed(this ILogger log, LeasedSubnet subnet, long minutes);

    [LoggerMessage(551, LogLevel.Information, "lease of {Subnet} published anew")]
    internal static partial void Republished(this ILogger log, LeasedSubnet subnet);

    [LoggerMessage(552, LogLevel.Debug, "lease of {Subnet} looked after: it is this host's")]
    internal static partial void Confirmed(this ILogger log, LeasedSubnet subnet);

    [LoggerMessage(553, LogLevel.Warning, "lease of {Subnet} cannot be renewed (attempt {Attempt}), trying again: {Reason}")]
    internal static partial void RenewalFailed(this ILogger log, LeasedSubnet subnet, int attempt, string reason);

    [LoggerMessage(554, LogLevel.Warning, "lease of {Subnet} has run out as far as can be told from here; packets go on until the store answers")]
    internal static partial void RanOut(this ILogger log, LeasedSubnet subnet);

    [LoggerMessage(555, LogLevel.Warning, "lease lost: {Reason}; trying to take the subnet again")]
    internal static partial void Lost(this ILogger log, string reason);

    [LoggerMessage(556, LogLevel.Information, "lease of {Subnet} taken again")]
    internal static partial void Reacquired(this ILogger log, LeasedSubnet subnet);
}
