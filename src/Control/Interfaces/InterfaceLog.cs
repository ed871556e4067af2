using System.Net;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Interfaces;

/// <summary>How the underlay was chosen, events 300 to 319; the words are stock flannel's (pkg/ipmatch/match.go) where it has some.</summary>
internal static partial class InterfaceLog
{
    [LoggerMessage(300, LogLevel.Information, "could not find valid interface matching {Rule}: {Reason}")]
    internal static partial void NoMatch(this ILogger log, string rule, string reason);

    [LoggerMessage(301, LogLevel.Information, "using interface {Interface} (MTU {Mtu}) with address {Address}")]
    internal static partial void Selected(this ILogger log, string @interface, int mtu, string address);

    [LoggerMessage(302, LogLevel.Information, "using {Address} as external address")]
    internal static partial void External(this ILogger log, IPAddress address);

    [LoggerMessage(303, LogLevel.Warning, "the underlay changed: {Change}")]
    internal static partial void UnderlayChanged(this ILogger log, string change);

    [LoggerMessage(304, LogLevel.Error, "the underlay {Interface} is gone, waiting for it: {Reason}")]
    internal static partial void UnderlayLost(this ILogger log, string @interface, string reason);

    [LoggerMessage(305, LogLevel.Error, "no more notifications of network changes, looking every {Seconds} s instead: {Reason}")]
    internal static partial void MonitorFailed(this ILogger log, int seconds, string reason);
}
