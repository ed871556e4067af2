namespace FlannelFast.Control.Subnets.Directories;

/// <summary>
/// Tells how long leases still live, so that all processes of a machine agree and no step of the wall clock ends or extends one.
/// <para>
/// While the machine is up, CLOCK_MONOTONIC decides, which is the same in every process (it is what .NET's timestamps are on Linux:
/// SystemNative_GetTimestamp). It stands still in suspend, when nobody can renew either; CLOCK_BOOTTIME would end every lease at the wake-up.
/// Its readings mean nothing after a reboot, and something else in another time namespace, so a deadline names its clock by boot id and namespace.
/// </para>
/// <para>
/// Under another clock only the wall clock is left. After a reboot it may be wrong, so it is bounded by what is known for certain: a lease ends
/// at the latest its time to live after the boot. A clock that lags (no battery, before NTP) cannot keep a dead host's
/// subnet for ever; one that leads ends leases early, at a moment when every holder is starting anyway and asks for its old subnet again.
/// </para>
/// </summary>
/// <param name="time">Both clocks.</param>
/// <param name="id">Names the monotonic one; see <see cref="ReadId"/>.</param>
internal sealed class StoreClock(TimeProvider time, string id)
{
    /// <summary>Longest time to live, about that of a reservation. Keeps every sum far from the ends of the types.</summary>
    internal static readonly TimeSpan LongestTimeToLive = TimeSpan.FromDays(36500);

    /// <summary>Identity of this process's CLOCK_MONOTONIC: boot id and time namespace.</summary>
    internal static string ReadId()
    {
        string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        // "time:[4026531834]"; none before Linux 5.6, where there is one clock for all.
        string? space = new FileInfo("/proc/self/ns/time").LinkTarget;
        return space is null ? boot : $"{boot}/{space}";
    }

    /// <summary>The deadline of a lease that begins now.</summary>
    internal LeaseDeadline Begin(TimeSpan timeToLive) =>
        new(timeToLive, id, Monotonic() + timeToLive, time.GetUtcNow() + timeToLive);

    /// <summary>What is left of a lease, at most its time to live; zero or less when it is over.</summary>
    internal TimeSpan Remaining(LeaseDeadline deadline)
    {
        TimeSpan now = Monotonic();
        if (deadline.ClockId == id) return Min(deadline.MonotonicEnd - now, deadline.TimeToLive);
        TimeSpan left = Min(deadline.WallEnd - time.GetUtcNow(), deadline.TimeToLive);
        bool isThisBoot = Boot(deadline.ClockId).SequenceEqual(Boot(id));
        return isThisBoot ? left : Min(left, deadline.TimeToLive - now);
    }

    private static ReadOnlySpan<char> Boot(string id) => id.AsSpan(0, id.IndexOf('/', StringComparison.Ordinal) is var slash and >= 0 ? slash : id.Length);

    private TimeSpan Monotonic() => time.GetElapsedTime(0);

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
