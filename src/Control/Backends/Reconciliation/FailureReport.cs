using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends.Reconciliation;

/// <summary>Tells of what could not be done: each sentence once when it comes up, and again only after it was gone. One thread at a time.</summary>
internal sealed class FailureReport(ILogger log)
{
    /// <summary>Lines per apply: thousands of leases can be bad for one reason.</summary>
    private const int MaxLines = 10;

    private HashSet<string> _known = [];

    /// <summary>Takes the failures of one apply in the place of those of the one before.</summary>
    internal void Replace(IReadOnlyList<string> failures)
    {
        if (failures.Count == 0 && _known.Count == 0) return;
        var now = new HashSet<string>(failures.Count);
        int fresh = 0;
        foreach (string failure in failures)
        {
            if (!now.Add(failure) || _known.Contains(failure)) continue;
            if (++fresh <= MaxLines) ReconcilerLog.NotApplied(log, failure);
        }
        if (fresh > MaxLines) ReconcilerLog.MoreNotApplied(log, fresh - MaxLines);
        if (now.Count == 0) ReconcilerLog.AllApplied(log);
        _known = now;
    }
}
