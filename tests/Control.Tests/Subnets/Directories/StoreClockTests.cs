using FlannelFast.Control.Subnets.Directories;

namespace FlannelFast.Control.Tests.Subnets.Directories;

public sealed class StoreClockTests
{
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);
    private readonly JumpingTime _time = new();

    [Fact]
    public void A_lease_lives_as_long_as_it_was_given()
    {
        LeaseDeadline deadline = Clock("boot").Begin(s_day);
        AssertLeft(s_day, deadline, "boot");
        _time.Pass(TimeSpan.FromHours(23));
        AssertLeft(TimeSpan.FromHours(1), deadline, "boot");
        _time.Pass(TimeSpan.FromHours(2));
        AssertLeft(TimeSpan.FromHours(-1), deadline, "boot");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(24 * 365 * 10)]
    [InlineData(-24 * 365 * 10)]
    public void A_step_of_the_wall_clock_changes_nothing(int hours)
    {
        LeaseDeadline deadline = Clock("boot").Begin(s_day);
        _time.WallOffset += TimeSpan.FromHours(hours);
        AssertLeft(s_day, deadline, "boot");
    }

    [Fact]
    public void After_a_reboot_the_wall_clock_tells()
    {
        LeaseDeadline deadline = Clock("boot").Begin(s_day);
        _time.WallOffset += TimeSpan.FromHours(5);
        _time.Reboot();
        AssertLeft(TimeSpan.FromHours(19), deadline, "next boot");
        _time.WallOffset += TimeSpan.FromHours(20);
        AssertLeft(TimeSpan.FromHours(-1), deadline, "next boot");
    }

    [Fact]
    public void After_a_reboot_with_a_clock_that_lags_the_lease_ends_its_time_after_the_boot()
    {
        LeaseDeadline deadline = Clock("boot").Begin(s_day);
        _time.WallOffset -= TimeSpan.FromDays(20000);
        _time.Reboot();
        AssertLeft(s_day - TimeSpan.FromSeconds(10), deadline, "next boot");
        _time.Pass(TimeSpan.FromHours(25));
        Assert.True(Clock("next boot").Remaining(deadline) < TimeSpan.Zero);
    }

    [Fact]
    public void A_clock_set_right_after_the_boot_counts_as_if_it_had_been_right()
    {
        LeaseDeadline deadline = Clock("boot").Begin(s_day);
        _time.WallOffset -= TimeSpan.FromDays(20000);
        _time.Reboot();
        _time.WallOffset += TimeSpan.FromDays(20000) + TimeSpan.FromHours(5);
        AssertLeft(TimeSpan.FromHours(19), deadline, "next boot");
    }

    [Fact]
    public void In_another_time_namespace_of_the_same_boot_the_wall_clock_tells()
    {
        _time.MonotonicOffset = TimeSpan.FromDays(30);
        LeaseDeadline deadline = Clock("boot/time:[1]").Begin(s_day);
        _time.Pass(TimeSpan.FromHours(1));
        _time.MonotonicOffset += TimeSpan.FromDays(5);
        AssertLeft(TimeSpan.FromHours(23), deadline, "boot/time:[2]");
        Assert.True(Clock("boot2/time:[1]").Remaining(deadline) < TimeSpan.Zero);
    }

    [Fact]
    public void The_clock_is_the_one_that_every_process_of_the_machine_reads()
    {
        // The claim the whole class rests on: .NET's timestamps are CLOCK_MONOTONIC, whose zero all processes share.
        double before = SystemMonotonicSeconds();
        double ours = TimeProvider.System.GetElapsedTime(0).TotalSeconds;
        double after = SystemMonotonicSeconds();
        Assert.InRange(ours, before, after);
        Assert.Matches("^[0-9a-f-]{36}(/time:\\[[0-9]+\\])?$", StoreClock.ReadId());
        Assert.Equal(StoreClock.ReadId(), StoreClock.ReadId());
    }

    private StoreClock Clock(string id) => new(_time, id);

    private void AssertLeft(TimeSpan expected, LeaseDeadline deadline, string clock) =>
        Assert.InRange(Clock(clock).Remaining(deadline), expected - TimeSpan.FromSeconds(5), expected + TimeSpan.FromSeconds(1));

    /// <summary>From the kernel's own mouth: "now at N nsecs".</summary>
    private static double SystemMonotonicSeconds()
    {
        string line = File.ReadLines("/proc/timer_list").First(l => l.StartsWith("now at ", StringComparison.Ordinal));
        return double.Parse(line.Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture) / 1e9;
    }
}
