using System.Diagnostics;

namespace FlannelFast.Dataplane.Engine;

/// <summary>Lets at most a given number of events a second pass, with bursts of the same size. Reads the monotonic clock only when asked.</summary>
/// <param name="perSecond">Events a second, at least 1.</param>
internal struct TokenBucket(int perSecond)
{
    private readonly long _ticksPerEvent = Stopwatch.Frequency / perSecond;
    private readonly long _burst = Stopwatch.Frequency;
    private long _due = long.MinValue;

    /// <summary>True when one more event may happen now.</summary>
    internal bool TryTake() => TryTake(Stopwatch.GetTimestamp());

    /// <summary>The same at a given time, in ticks of <see cref="Stopwatch.Frequency"/>.</summary>
    internal bool TryTake(long now)
    {
        // The time at which the bucket would be empty again if nothing more came: one number instead of a level and a time.
        long due = Math.Max(_due, now - _burst);
        if (due + _ticksPerEvent > now) return false;
        _due = due + _ticksPerEvent;
        return true;
    }
}
