using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace FlannelFast.Control.Subnets;

/// <summary>
/// Keeps this host's lease alive: renews it in time, publishes what changed, notices its loss. Runs beside the watch, whose updates it is
/// shown; an update that does not fit is no proof (it may be older than the last renewal), it only makes the keeper ask the store at once.
/// While the store is away the lease counts as ours, however long that takes: nobody else can tell otherwise either, and when the store is back it decides.
/// </summary>
internal sealed class LeaseKeeper
{
    /// <summary>Nothing an update can say makes the keeper ask more often than this.</summary>
    private static readonly TimeSpan s_betweenAttempts = TimeSpan.FromSeconds(1);

    /// <summary>How far apart the renewals of hosts that started together are spread, and their retries once the store is back.</summary>
    private static readonly TimeSpan s_spread = TimeSpan.FromMinutes(5), s_returnSpread = TimeSpan.FromSeconds(3);

    private readonly ISubnetStore _store;
    private readonly NetworkConfig _network;
    private readonly LeaseKeeperOptions _options;
    private readonly TimeProvider _time;
    private readonly JitterSource _random;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    // A place for one: several reasons to wake up are as good as one.
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Lease _own;
    private LeaseAttributes _wanted;
    // What was written last as far as is known, while it is not known whether it was. Until that is settled nothing else is
    // written: with two changes in the dark the store might name the host in a way it does not recognise itself by.
    private LeaseAttributes? _unsettled;
    private long? _next;
    private long _confirmedAt;
    private long _triedAt;
    private long _renewals;
    private long _reacquisitions;
    private int _failures;
    private string? _lastFailure;
    private bool _isHeld = true;
    private bool _isScheduled;
    private bool _hasRunOut;

    /// <summary>Takes charge of a lease just acquired.</summary>
    internal LeaseKeeper(
        ISubnetStore store, NetworkConfig network, Lease own, LeaseKeeperOptions options, TimeProvider time, Random random, ILoggerFactory log)
    {
        (_store, _network, _options, _time, _random) = (store, network, options, time, new(random));
        _log = log.CreateLogger("flanneld.lease");
        (_own, _wanted) = (own, own.Attributes);
        _confirmedAt = time.GetTimestamp();
        _triedAt = time.Add(_confirmedAt, -s_betweenAttempts);
        ScheduleRenewal();
    }

    /// <summary>The lease as it was last confirmed.</summary>
    internal Lease Own
    {
        get
        {
            lock (_lock) return _own;
        }
    }

    internal LeaseKeeperStatus Status
    {
        get
        {
            lock (_lock)
                return new(
                    _own, _isHeld, _own.ExpiresAt is { } end ? _time.Until(end) : null, _next is { } next ? _time.Until(next) : null,
                    _time.GetElapsedTime(_confirmedAt), _failures, _lastFailure, _renewals, _reacquisitions);
        }
    }

    /// <summary>Publishes other attributes from now on: at once if the store answers, else as soon as it does. Any thread.</summary>
    internal void Publish(LeaseAttributes attributes)
    {
        lock (_lock)
        {
            if (_wanted == attributes) return;
            _wanted = attributes;
            _next = _time.GetTimestamp();
        }
        _wake.Writer.TryWrite(true);
    }

    /// <summary>Looks at an update of the watch. To be called with each; any thread, does not block.</summary>
    internal void Observe(LeaseUpdate update)
    {
        bool isChanged;
        lock (_lock)
        {
            long? before = _next;
            if (IsSuspicious(update)) BringForward(_time.Add(_triedAt, s_betweenAttempts));
            // The store is back, and it was the watch that noticed first.
            if (_failures > 0) BringForward(_time.After(_random.Shorten(s_returnSpread, 1)));
            isChanged = _next != before;
        }
        if (isChanged) _wake.Writer.TryWrite(true);
    }

    /// <summary>Keeps the lease until cancelled.</summary>
    /// <exception cref="LeaseLostException">The lease is lost for good: the data plane must end. The message is one sentence.</exception>
    internal async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                LeaseAttributes wanted = await WaitUntilDueAsync(cancel);
                try
                {
                    Confirm(await _store.RenewAsync(Own, wanted, cancel));
                }
                catch (StoreUnavailableException e)
                {
                    Fail(e.Message);
                }
                catch (LeaseLostException e)
                {
                    await ReacquireAsync(e, cancel);
                }
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The daemon stops. The lease stays as it is, as with stock: the next start finds it.
        }
    }

    private async Task ReacquireAsync(LeaseLostException lost, CancellationToken cancel)
    {
        lock (_lock) (_isHeld, _unsettled) = (false, null);
        LeasedSubnet subnet = Own.Subnet;
        if (_options.Policy == LeaseLostPolicy.Exit || !lost.IsFree) throw lost;
        _log.Lost(lost.Message);
        long until = _time.After(_options.Grace);
        for (LeaseAttributes wanted = Begin(); ; wanted = await WaitUntilDueAsync(cancel))
        {
            try
            {
                Reacquired(await _store.AcquireAsync(new(_network, wanted, subnet, OnlyPrevious: true), cancel));
                return;
            }
            catch (StoreUnavailableException e)
            {
                if (_time.Until(until) <= TimeSpan.Zero)
                    throw new LeaseLostException($"{lost.Message}, and the store did not let it be taken again within {_options.Grace.TotalSeconds:0} s: {e.Message}", isFree: true);
                Fail(e.Message);
                lock (_lock) BringForward(until);
            }
            catch (LeaseException e) when (e is not LeaseLostException)
            {
                throw new LeaseLostException($"{lost.Message}, and it cannot be taken again: {e.Message}", isFree: false);
            }
        }
    }

    /// <summary>Notes an attempt. Returns what it is to write.</summary>
    private LeaseAttributes Begin()
    {
        lock (_lock)
        {
            _triedAt = _time.GetTimestamp();
            return _unsettled ??= _wanted;
        }
    }

    private async Task<LeaseAttributes> WaitUntilDueAsync(CancellationToken cancel)
    {
        while (true)
        {
            long? next;
            lock (_lock)
            {
                if (_next is { } due && _time.Until(due) <= TimeSpan.Zero) return Begin();
                next = _next;
            }
            using var timer = next is { } at ? new CancellationTokenSource(AtLeastOneTick(_time.Until(at)), _time) : new CancellationTokenSource();
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancel);
            try
            {
                await _wake.Reader.ReadAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                // It is time.
            }
        }
    }

    // Timers count whole milliseconds: one of 0 would spin, one rounded down would come just before its time.
    private static TimeSpan AtLeastOneTick(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(wait.TotalMilliseconds), 1, int.MaxValue));

    private void Confirm(Lease renewed)
    {
        lock (_lock)
        {
            if (_own.Attributes != renewed.Attributes) _log.Republished(renewed.Subnet);
            else if (renewed.ExpiresAt is { } end && (_isScheduled || _failures > 0)) _log.Renewed(renewed.Subnet, (long)_time.Until(end).TotalMinutes);
            else _log.Confirmed(renewed.Subnet);
            _renewals++;
            Accept(renewed);
        }
    }

    private void Reacquired(Lease again)
    {
        lock (_lock)
        {
            _log.Reacquired(again.Subnet);
            _reacquisitions++;
            Accept(again);
        }
    }

    private void Accept(Lease lease)
    {
        (_own, _unsettled) = (lease, null);
        (_isHeld, _hasRunOut, _failures, _lastFailure) = (true, false, 0, null);
        _confirmedAt = _time.GetTimestamp();
        ScheduleRenewal();
    }

    private void Fail(string reason)
    {
        lock (_lock)
        {
            _failures++;
            _lastFailure = reason;
            // Attempts are a minute apart before long: one line for the first, then one in ten minutes.
            if (_failures % 10 == 1) _log.RenewalFailed(_own.Subnet, _failures, reason);
            if (!_hasRunOut && _own.ExpiresAt is { } end && _time.Until(end) <= TimeSpan.Zero)
            {
                _hasRunOut = true;
                _log.RanOut(_own.Subnet);
            }
            int seconds = _failures switch { 1 => 1, 2 => 5, 3 => 15, 4 => 30, _ => 60 };
            _next = _time.After(_random.Shorten(TimeSpan.FromSeconds(seconds), 0.2));
        }
    }

    private void ScheduleRenewal()
    {
        _isScheduled = true;
        // What was asked for while something else was under way comes first.
        if (_wanted != _own.Attributes) _next = _time.GetTimestamp();
        else _next = _own.ExpiresAt is { } end ? _time.After(RenewIn(_time.Until(end))) : null;
    }

    private TimeSpan RenewIn(TimeSpan left)
    {
        TimeSpan wait = left - _options.RenewMargin;
        // A lease shorter than the margin is renewed at half its life instead of without pause.
        if (wait <= TimeSpan.Zero) wait = left / 2;
        else wait -= _random.Shorten(wait / 20 < s_spread ? wait / 20 : s_spread, 1);
        return wait > s_betweenAttempts ? wait : s_betweenAttempts;
    }

    private void BringForward(long to)
    {
        if (_next is null || _next > to) (_next, _isScheduled) = (to, false);
    }

    private bool IsSuspicious(LeaseUpdate update) => update switch
    {
        LeaseUpdate.Removed removed => removed.Subnet == _own.Subnet,
        LeaseUpdate.Put put => put.Lease.Subnet == _own.Subnet && !IsExpected(put.Lease),
        // An older state of our own key is a member that lags, or a store restored from a backup in which the lease ends sooner.
        LeaseUpdate.Snapshot snapshot => Find(snapshot) is not { } lease || !IsExpected(lease) || lease.ModRevision < _own.ModRevision,
        _ => false,
    };

    private Lease? Find(LeaseUpdate.Snapshot snapshot)
    {
        foreach (Lease lease in snapshot.Leases)
            if (lease.Subnet == _own.Subnet) return lease;
        return null;
    }

    /// <summary>False if the lease in the store is not as we left it. Also takes over what was written in our name: a new end, or that there is none.</summary>
    private bool IsExpected(Lease lease)
    {
        if (!OwnClaim.IsSameHost(lease.Attributes, _own.Attributes)) return false;
        if (lease.ModRevision <= _own.ModRevision && lease.CreateRevision == _own.CreateRevision) return true;
        if (!_isHeld || lease.Attributes != _own.Attributes) return false;
        _own = lease;
        ScheduleRenewal();
        return true;
    }
}
