namespace FlannelFast.Control.Tests.Subnets.Directories;

/// <summary>The real clocks, each moved by what a test says. Timers run in real time.</summary>
internal sealed class JumpingTime : TimeProvider
{
    public TimeSpan MonotonicOffset { get; set; }

    public TimeSpan WallOffset { get; set; }

    /// <summary>Time passes on both.</summary>
    public void Pass(TimeSpan time)
    {
        MonotonicOffset += time;
        WallOffset += time;
    }

    /// <summary>The monotonic clock begins again, as after a reboot.</summary>
    public void Reboot() => MonotonicOffset = -System.GetElapsedTime(0) + TimeSpan.FromSeconds(10);

    public override long GetTimestamp() => System.GetTimestamp() + (long)(MonotonicOffset.TotalSeconds * TimestampFrequency);

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + WallOffset;
}
