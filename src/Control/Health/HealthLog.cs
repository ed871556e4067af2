using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Health;

/// <summary>Messages of the health server, events 320 to 329.</summary>
internal static partial class HealthLog
{
    [LoggerMessage(320, LogLevel.Warning, "health server: accept failed: {Reason}")]
    internal static partial void AcceptFailed(ILogger log, string reason);
}
