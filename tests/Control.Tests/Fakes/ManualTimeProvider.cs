namespace FlannelFast.Tests.Fakes;

/// <summary>
/// A clock that stands still until it is told to go on. <see cref="Advance"/> fires the timers on the caller's thread, each at its own
/// time and in order, so that code written against <see cref="TimeProvider"/> lives through weeks in milliseconds, always the same way.
/// The wall clock can be set apart from the monotonic one, as administrators and NTP do it.
/// </summary>
internal sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<(ManualTimer Timer, int Arming), (long Due, long Order)> _queue = new();
    // Not 0: a timestamp of 0 would let "never" and "at the start" look the same.
    private long _ticks = TimeSpan.FromDays(1).Ticks;
    private long _order;
    private DateTimeOffset _wallAtZero = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow()
    {
        lock (_lock) return _wallAtZero.AddTicks(_ticks);
    }

    /// <summary>Moves the wall clock, and nothing else.</summary>
    public void JumpWallClock(TimeSpan by)
    {
        lock (_lock) _wallAtZero += by;
    }

    /// <summary>Time until the next timer fires; null when none is armed.</summary>
    public TimeSpan? UntilNextTimer
    {
        get
        {
            lock (_lock)
            {
                DropStale();
                return _queue.TryPeek(out _, out (long Due, long Order) next) ? TimeSpan.FromTicks(Math.Max(0, next.Due - _ticks)) : null;
            }
        }
    }

    /// <summary>Lets time pass.</summary>
    public void Advance(TimeSpan by)
    {
        long end = GetTimestamp() + by.Ticks;
        while (TakeDue(end) is { } timer) timer.Fire();
        Interlocked.Exchange(ref _ticks, end);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private ManualTimer? TakeDue(long end)
    {
        lock (_lock)
        {
            DropStale();
            if (!_queue.TryPeek(out _, out (long Due, long Order) next) || next.Due > end) return null;
            ManualTimer timer = _queue.Dequeue().Timer;
            Interlocked.Exchange(ref _ticks, Math.Max(_ticks, next.Due));
            if (timer.Period > TimeSpan.Zero) Arm(timer, timer.Period);
            return timer;
        }
    }

    private void DropStale()
    {
        while (_queue.TryPeek(out (ManualTimer Timer, int Arming) first, out _) && first.Timer.Arming != first.Arming) _queue.Dequeue();
    }

    private void Arm(ManualTimer timer, TimeSpan due) => _queue.Enqueue((timer, timer.Arming), (_ticks + due.Ticks, _order++));

    private sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>Counts the changes: an entry of the queue made before the last one means nothing any more.</summary>
        public int Arming { get; private set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._lock)
            {
                Arming++;
                Period = period;
                if (dueTime >= TimeSpan.Zero) clock.Arm(this, dueTime);
            }
            return true;
        }

        public void Dispose() => Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
