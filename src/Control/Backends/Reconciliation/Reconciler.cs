using FlannelFast.Control.Subnets;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Backends.Reconciliation;

/// <summary>
/// Makes the host's state that of the leases, on a thread of its own: keeps the current set and gives it to the backend when
/// <see cref="ReconcileSchedule"/> says so. From <see cref="Start"/> to the end of <see cref="Dispose"/> nobody else may call the backend. Members may be called from any thread.
/// </summary>
internal sealed class Reconciler : IDisposable
{
    /// <summary>Changes told in one line.</summary>
    private const int MaxPhrases = 5;

    private readonly Lock _lock = new();
    private readonly IBackend _backend;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly LeaseTable _leases = new();
    private readonly ReconcileSchedule _schedule;
    private readonly FailureReport _failures;
    private readonly AutoResetEvent _wake = new(false);
    private readonly ITimer _timer;
    private readonly Thread _thread;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _synchronised = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ExternalInterface? _external;
    private ReconcilerStatus _status = new(0, false, 0, null, TimeSpan.Zero, 0, 0, []);
    private long _lastEnd;
    private volatile bool _stopping;

    /// <param name="backend">Started; not owned.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Where it reports.</param>
    internal Reconciler(IBackend backend, TimeProvider time, ILogger log)
    {
        _backend = backend;
        _time = time;
        _log = log;
        _schedule = new(time);
        _failures = new(log);
        _timer = time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _thread = new(Run) { Name = "reconciler", IsBackground = true };
    }

    /// <summary>Faulted when the backend failed in a way that is no refusal of the host, which is a defect; else ends with <see cref="Dispose"/>.</summary>
    internal Task Completion => _completion.Task;

    /// <summary>Ends when the first complete set of leases was applied, as far as the host let it.</summary>
    internal Task Synchronised => _synchronised.Task;

    /// <summary>Starts the thread. Nothing is applied before the first snapshot was taken.</summary>
    internal void Start()
    {
        _backend.RepairNeeded += OnRepairNeeded;
        _thread.Start();
    }

    /// <summary>Takes one item of the store's stream; returns at once.</summary>
    internal void Take(LeaseUpdate update)
    {
        lock (_lock)
        {
            bool changed = _leases.Apply(update);
            if (_leases.IsComplete) _schedule.Open();
            if (!changed) return;
            _schedule.Changed();
            Wake();
        }
    }

    /// <summary>The underlay is another: has the backend follow it, again and again while the host refuses.</summary>
    internal void Follow(ExternalInterface external)
    {
        lock (_lock)
        {
            _external = external;
            _schedule.Changed();
            // Not only with the leases: sockets are bound to the old address also while the store is away.
            _schedule.Open();
            Wake();
        }
    }

    internal ReconcilerStatus ReadStatus()
    {
        lock (_lock)
        {
            TimeSpan? since = _status.Applies == 0 ? null : _time.GetElapsedTime(_lastEnd);
            return _status with { Leases = _leases.Current.Count, IsComplete = _leases.IsComplete, SinceLastApply = since };
        }
    }

    /// <summary>Stops after the apply that is under way. Leaves the host as it is.</summary>
    public void Dispose()
    {
        _backend.RepairNeeded -= OnRepairNeeded;
        lock (_lock)
        {
            _stopping = true;
            _wake.Set();
        }
        if (_thread.IsAlive) _thread.Join();
        _completion.TrySetResult();
        _timer.Dispose();
        _wake.Dispose();
    }

    private void OnRepairNeeded()
    {
        lock (_lock)
        {
            _schedule.Damaged();
            Wake();
        }
    }

    /// <summary>Under the lock: the backend and the timer may call once more while they are let go of.</summary>
    private void Wake()
    {
        if (!_stopping) _wake.Set();
    }

    private void OnTimer()
    {
        lock (_lock) Wake();
    }

    private void Run()
    {
        try
        {
            while (!_stopping)
            {
                TimeSpan wait = UntilDue();
                if (wait == TimeSpan.Zero)
                {
                    Reconcile();
                    continue;
                }
                // Timers count whole milliseconds and cut the rest off.
                _timer.Change(TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
                // The thread may have stood still between the two, so that the timer is set too late by as much.
                if (UntilDue() != TimeSpan.Zero) _wake.WaitOne();
            }
        }
#pragma warning disable CA1031 // Whatever it is, leases are not followed any more: the owner learns of it and ends the daemon.
        catch (Exception defect)
#pragma warning restore CA1031
        {
            _completion.SetException(defect);
        }
    }

    private TimeSpan UntilDue()
    {
        lock (_lock) return _schedule.UntilDue();
    }

    private void Reconcile()
    {
        IReadOnlyCollection<Lease>? leases;
        ExternalInterface? external;
        lock (_lock)
        {
            _schedule.Begin();
            leases = _leases.IsComplete ? _leases.Current : null;
            external = _external;
        }
        List<string> failures = [];
        if (external is not null) TryFollow(external, failures);
        IReadOnlyList<string> changes = leases is null ? [] : TryApply(leases, failures);
        lock (_lock)
        {
            TimeSpan duration = _schedule.End(failures.Count > 0);
            _lastEnd = _time.GetTimestamp();
            _status = _status with
            {
                Applies = _status.Applies + 1,
                LastDuration = duration,
                Changes = _status.Changes + changes.Count,
                FailedApplies = _status.FailedApplies + (failures.Count > 0 ? 1 : 0),
                Failures = failures,
            };
        }
        if (changes.Count > 0) ReconcilerLog.Applied(_log, Summary(changes));
        _failures.Replace(failures);
        if (leases is not null) _synchronised.TrySetResult();
    }

    private void TryFollow(ExternalInterface external, List<string> failures)
    {
        try
        {
            _backend.Follow(external);
            // Unless the underlay has changed once more meanwhile.
            lock (_lock) _external = ReferenceEquals(_external, external) ? null : _external;
        }
        catch (Exception refused) when (refused is IOException or InvalidOperationException)
        {
            failures.Add(refused.Message);
        }
    }

    private IReadOnlyList<string> TryApply(IReadOnlyCollection<Lease> leases, List<string> failures)
    {
        try
        {
            ApplyResult result = _backend.Apply(leases);
            failures.AddRange(result.Failures);
            return result.Changes;
        }
        catch (Exception refused) when (refused is IOException or InvalidOperationException)
        {
            failures.Add(refused.Message);
            return [];
        }
    }

    private static string Summary(IReadOnlyList<string> changes)
    {
        string first = string.Join("; ", changes.Take(MaxPhrases));
        return changes.Count <= MaxPhrases ? first : $"{first}; and {changes.Count - MaxPhrases} more";
    }
}
