using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Follows the leases of a registry: a full read, then its changes, then a full read again about once a minute and whenever changes may have been missed.
/// Outlives every failure of the store; only cancellation ends it, or a failure that is none of the store's. Serves one watch.
/// </summary>
internal sealed class LeaseWatcher(
    ISubnetRegistry registry, NetworkConfig network, Func<OwnClaim?> own, RegistryStoreOptions options, TimeProvider time, JitterSource random,
    StoreCounters counters, ILogger log)
{
    /// <summary>So many full reads in a row must be older than what is known before they are believed: a member that lags answers so once or twice, a store restored from a backup always.</summary>
    private const int BackwardsBelieved = 3;

    /// <summary>For a registry that lets a deadline of its own look like cancellation.</summary>
    private const string GaveUp = "a call was given up before it was answered";

    private static readonly TimeSpan s_betweenBackwards = TimeSpan.FromSeconds(1);

    private readonly LeaseTracker _tracker = new(network, new(time, options.TimeToLive), new(log, counters), counters);
    private readonly Backoff _backoff = new(options.FirstBackoff, options.LongestBackoff, random);
    private readonly OutageReport _outage = new(time, log);
    private readonly List<LeaseUpdate> _updates = [];
    private int _backwards;
    private bool _hasHistory;

    private enum Ending
    {
        /// <summary>It is time for a full read.</summary>
        Due,

        /// <summary>The stream broke; what comes after the last revision can still be had.</summary>
        Broken,

        /// <summary>Changes are lost: nothing but a full read helps.</summary>
        HistoryLost,
    }

    internal async IAsyncEnumerable<LeaseUpdate> RunAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            (LeaseUpdate.Snapshot? snapshot, TimeSpan next) = await TryListAsync(cancel);
            if (snapshot is not null) yield return snapshot;
            if (!_hasHistory)
            {
                await Task.Delay(next, time, cancel);
                continue;
            }
            await foreach (LeaseUpdate update in FollowAsync(next, cancel)) yield return update;
        }
    }

    /// <summary>Reads everything. Also says how long to go on without the next full read.</summary>
    private async Task<(LeaseUpdate.Snapshot? Snapshot, TimeSpan Next)> TryListAsync(CancellationToken cancel)
    {
        try
        {
            RegistrySnapshot read = await registry.ListAsync(cancel);
            if (IsTooOld(read)) return (null, s_betweenBackwards);
            LeaseUpdate.Snapshot snapshot = _tracker.Reset(read, own());
            _hasHistory = true;
            counters.Listed(_tracker.Contested);
            _outage.Succeeded();
            return (snapshot, random.Shorten(options.RelistInterval, 0.25));
        }
        catch (StoreUnavailableException e)
        {
            return (null, Fail(e.Message));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return (null, Fail(GaveUp));
        }
    }

    private bool IsTooOld(RegistrySnapshot read)
    {
        if (read.Revision >= _tracker.Revision)
        {
            _backwards = 0;
            return false;
        }
        counters.WentBackwards();
        if (++_backwards < BackwardsBelieved)
        {
            log.RevisionBackwards(read.Revision, _tracker.Revision);
            return true;
        }
        log.StoreRestored(read.Revision, _tracker.Revision);
        _backwards = 0;
        return false;
    }

    /// <summary>Passes changes on until a full read is due or the changes are lost.</summary>
    private async IAsyncEnumerable<LeaseUpdate> FollowAsync(TimeSpan span, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var due = new CancellationTokenSource(span, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, cancel);
        while (!due.IsCancellationRequested)
        {
            long began = time.GetTimestamp();
            await using IAsyncEnumerator<RegistryChange> changes = registry.WatchAsync(_tracker.Revision, either.Token).GetAsyncEnumerator(either.Token);
            Ending? ending = null;
            while (ending is null)
            {
                (RegistryChange? change, ending, TimeSpan wait) = await NextAsync(changes, began, due.Token, cancel);
                if (change is not null)
                {
                    _tracker.Apply(change, own(), _updates);
                    foreach (LeaseUpdate update in _updates) yield return update;
                    _updates.Clear();
                }
                if (wait > TimeSpan.Zero) await Task.Delay(wait, time, cancel);
            }
            // A stream that broke twice in a row may mean an outage: the first full read after it tells at once how things are.
            if (ending == Ending.HistoryLost || _outage.Failures > 1) yield break;
        }
    }

    private async Task<(RegistryChange? Change, Ending? Ending, TimeSpan Wait)> NextAsync(IAsyncEnumerator<RegistryChange> changes, long began, CancellationToken due, CancellationToken cancel)
    {
        try
        {
            if (!await changes.MoveNextAsync()) return Broke("the stream of changes ended");
            Worked();
            return (changes.Current, null, TimeSpan.Zero);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            if (!due.IsCancellationRequested) return Broke(GaveUp);
            WorkedIfLived();
            return (null, Ending.Due, TimeSpan.Zero);
        }
        catch (StoreUnavailableException e)
        {
            return Broke(e.Message);
        }
        catch (RegistryHistoryLostException e)
        {
            _hasHistory = false;
            counters.LostHistory();
            _outage.LostHistory(e.Message);
            return (null, Ending.HistoryLost, _backoff.Next());
        }

        (RegistryChange?, Ending?, TimeSpan) Broke(string reason)
        {
            WorkedIfLived();
            return (null, Ending.Broken, Fail(reason));
        }

        void WorkedIfLived()
        {
            if (time.GetElapsedTime(began) >= options.LongestBackoff) Worked();
        }
    }

    private void Worked()
    {
        _backoff.Reset();
        _outage.Succeeded();
    }

    private TimeSpan Fail(string reason)
    {
        counters.Failed(reason);
        _outage.Failed(reason);
        return _backoff.Next();
    }
}
