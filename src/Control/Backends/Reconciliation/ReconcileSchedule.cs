namespace FlannelFast.Control.Backends.Reconciliation;

/// <summary>
/// When to apply the leases: soon after a change but once for a burst of them, sooner rather than later after damage, again after a failure, and
/// every half minute although nothing is known to be wrong. One thread at a time.
/// </summary>
internal sealed class ReconcileSchedule(TimeProvider time)
{
    /// <summary>Changes come in bunches: one apply for all of them.</summary>
    internal static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Between applies for the sake of changes, so that only the second of two in a row waits: with 5,000 peers and 500 changes a second this halved the
    /// processor time and quartered the garbage.
    /// </summary>
    internal static readonly TimeSpan ChangeInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Between applies for the sake of damage: somebody who undoes our work again and again must not keep us busy.</summary>
    internal static readonly TimeSpan RepairInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>What no event told of is found by then.</summary>
    internal static readonly TimeSpan AuditInterval = TimeSpan.FromSeconds(30);

    internal static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    internal static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    /// <summary>After an apply comes a rest of so many times its duration: at most a fifth of one core, however many changes there are.</summary>
    private const int Rest = 4;

    /// <summary>But no longer than this: damage is repaired within a second.</summary>
    private static readonly TimeSpan s_longestRest = TimeSpan.FromMilliseconds(500);

    private long? _changedAt, _damagedAt;
    private long _began;
    private long? _ended;
    private TimeSpan _duration, _retry;
    private bool _open;

    /// <summary>There is something to apply from now on.</summary>
    internal void Open() => _open = true;

    /// <summary>A lease, or what the leases are applied to, is another than before.</summary>
    internal void Changed() => _changedAt ??= time.GetTimestamp();

    /// <summary>Something on the host is not as it was left.</summary>
    internal void Damaged() => _damagedAt ??= time.GetTimestamp();

    /// <summary>An apply begins: what is reported from now on is for the next one.</summary>
    internal void Begin()
    {
        (_changedAt, _damagedAt) = (null, null);
        _began = time.GetTimestamp();
    }

    /// <summary>It has ended.</summary>
    /// <param name="failed">Something could not be done.</param>
    /// <returns>How long it took.</returns>
    internal TimeSpan End(bool failed)
    {
        _ended = time.GetTimestamp();
        _duration = time.GetElapsedTime(_began, _ended.Value);
        TimeSpan doubled = _retry * 2;
        _retry = !failed ? TimeSpan.Zero : _retry == TimeSpan.Zero ? FirstRetry : doubled < LongestRetry ? doubled : LongestRetry;
        return _duration;
    }

    /// <summary>Time until the next apply, zero when it is due; infinite before <see cref="Open"/>.</summary>
    internal TimeSpan UntilDue()
    {
        if (!_open) return Timeout.InfiniteTimeSpan;
        long now = time.GetTimestamp();
        if (_ended is not { } ended) return TimeSpan.Zero;
        TimeSpan due = Left(ended, _retry == TimeSpan.Zero ? AuditInterval : _retry);
        if (_changedAt is { } changed) due = Min(due, Max(Left(changed, Settle), Left(ended, ChangeInterval)));
        if (_damagedAt is { } damaged) due = Min(due, Max(Left(damaged, Settle), Left(ended, RepairInterval)));
        due = Max(due, Left(ended, Min(Rest * _duration, s_longestRest)));
        return Max(due, TimeSpan.Zero);

        TimeSpan Left(long from, TimeSpan span) => span - time.GetElapsedTime(from, now);
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
