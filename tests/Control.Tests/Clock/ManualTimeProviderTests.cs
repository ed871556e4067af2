using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Clock;

public sealed class ManualTimeProviderTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Timers_fire_in_order_and_each_at_its_own_time()
    {
        var fired = new List<string>();
        long start = _time.GetTimestamp();
        using ITimer late = _time.CreateTimer(_ => Note("late"), null, TimeSpan.FromSeconds(30), Timeout.InfiniteTimeSpan);
        using ITimer periodic = _time.CreateTimer(_ => Note("periodic"), null, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(15));
        using ITimer disposed = _time.CreateTimer(_ => Note("disposed"), null, TimeSpan.FromSeconds(5), Timeout.InfiniteTimeSpan);
        disposed.Dispose();
        using ITimer moved = _time.CreateTimer(_ => Note("moved"), null, TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        moved.Change(TimeSpan.FromSeconds(26), Timeout.InfiniteTimeSpan);

        Assert.Equal(TimeSpan.FromSeconds(10), _time.UntilNextTimer);
        _time.Advance(TimeSpan.FromSeconds(39));

        Assert.Equal(["periodic 10", "periodic 25", "moved 26", "late 30"], fired);
        Assert.Equal(TimeSpan.FromSeconds(39), _time.GetElapsedTime(start));
        Assert.Equal(TimeSpan.FromSeconds(1), _time.UntilNextTimer);

        void Note(string name) => fired.Add($"{name} {_time.GetElapsedTime(start).TotalSeconds}");
    }

    [Fact]
    public async Task Delays_end_when_their_time_has_come()
    {
        Task delay = Task.Delay(TimeSpan.FromHours(23), _time, TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromHours(22));
        Assert.False(delay.IsCompleted);
        _time.Advance(TimeSpan.FromHours(1));
        await delay;
    }

    [Fact]
    public void The_wall_clock_jumps_alone()
    {
        long before = _time.GetTimestamp();
        DateTimeOffset wall = _time.GetUtcNow();
        _time.JumpWallClock(TimeSpan.FromDays(-3650));
        Assert.Equal(before, _time.GetTimestamp());
        Assert.Equal(wall.AddDays(-3650), _time.GetUtcNow());
    }
}
