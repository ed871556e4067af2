using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.ControlSocket;

/// <summary>Messages of the control socket, events 200 to 299.</summary>
internal static partial class ControlLog
{
    [LoggerMessage(200, LogLevel.Warning, "control socket: accept failed: {Reason}")]
    internal static partial void AcceptFailed(ILogger log, string reason);

    [LoggerMessage(201, LogLevel.Warning, "control socket: user {UserId} (process {ProcessId}) was denied")]
    internal static partial void Denied(ILogger log, uint userId, int processId);

    [LoggerMessage(202, LogLevel.Debug, "control socket: connection lost: {Reason}")]
    internal static partial void ConnectionLost(ILogger log, string reason);

    [LoggerMessage(203, LogLevel.Error, "control socket: a request failed")]
    internal static partial void RequestFailed(ILogger log, Exception exception);
}
