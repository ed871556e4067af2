using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Firewall;

/// <summary>What the keeper of the firewall tells, events 700 to 719. Next free id: 708.</summary>
internal static partial class FirewallLog
{
    [LoggerMessage(700, LogLevel.Information, "{Mode}: {Changes}")]
    internal static partial void RulesSet(this ILogger log, string mode, string changes);

    [LoggerMessage(701, LogLevel.Information, "{Mode}: the rules of {Family} stand already")]
    internal static partial void RulesStand(this ILogger log, string mode, string family);

    [LoggerMessage(702, LogLevel.Warning, "{Mode}: the rules were not as they were left; {Changes}")]
    internal static partial void RulesRepaired(this ILogger log, string mode, string changes);

    [LoggerMessage(703, LogLevel.Error, "{Mode}: the rules cannot be set, trying again every {Seconds} s: {Reason}")]
    internal static partial void RulesRefused(this ILogger log, string mode, double seconds, string reason);

    [LoggerMessage(704, LogLevel.Information, "{Mode}: the rules can be set again")]
    internal static partial void RulesSetAgain(this ILogger log, string mode);

    [LoggerMessage(705, LogLevel.Information, "{Mode}: rules of an earlier run removed, {NewMode} has them now: {Changes}")]
    internal static partial void OtherModeCleaned(this ILogger log, string mode, string newMode, string changes);

    [LoggerMessage(706, LogLevel.Warning, "{Mode}: rules of an earlier run, if there are any, cannot be removed, trying {Times} times: {Reason}")]
    internal static partial void OtherModeRefused(this ILogger log, string mode, int times, string reason);

    [LoggerMessage(707, LogLevel.Warning,
        "{Path} is missing: packets between pods on one bridge pass by iptables, so services of Kubernetes do not work among them; load br_netfilter if that matters here")]
    internal static partial void BridgeNetfilterMissing(this ILogger log, string path);
}
