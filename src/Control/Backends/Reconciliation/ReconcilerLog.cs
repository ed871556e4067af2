using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends.Reconciliation;

/// <summary>What the reconciler tells, events 400 to 419.</summary>
internal static partial class ReconcilerLog
{
    [LoggerMessage(400, LogLevel.Information, "{Changes}")]
    internal static partial void Applied(ILogger log, string changes);

    [LoggerMessage(401, LogLevel.Warning, "{Failure}")]
    internal static partial void NotApplied(ILogger log, string failure);

    [LoggerMessage(402, LogLevel.Warning, "and {Count} more of the same apply, which status counts")]
    internal static partial void MoreNotApplied(ILogger log, int count);

    [LoggerMessage(403, LogLevel.Information, "what failed before is done")]
    internal static partial void AllApplied(ILogger log);
}
