namespace FlannelFast.Control.Subnets;

/// <summary>Points in time as timestamps of a <see cref="TimeProvider"/>: they do not move when somebody sets the clock.</summary>
internal static class MonotonicTime
{
    // A store may say any time to live; a century is as good as for ever and far from where the arithmetic ends.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(36_500);

    /// <summary>The timestamp so much later than now.</summary>
    internal static long After(this TimeProvider time, TimeSpan span) => Add(time, time.GetTimestamp(), span);

    /// <summary>The timestamp so much later than another.</summary>
    internal static long Add(this TimeProvider time, long timestamp, TimeSpan span) =>
        timestamp + (long)((span < s_longest ? span : s_longest).TotalSeconds * time.TimestampFrequency);

    /// <summary>How long it is until a timestamp; negative once it is past.</summary>
    internal static TimeSpan Until(this TimeProvider time, long timestamp) => time.GetElapsedTime(time.GetTimestamp(), timestamp);
}
