using FlannelFast.Control.Backends.Reconciliation;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Backends.Reconciliation;

public sealed class ReconcileScheduleTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly ReconcileSchedule _schedule;

    public ReconcileScheduleTests() => _schedule = new(_time);

    [Fact]
    public void Nothing_is_due_before_there_is_something_to_apply()
    {
        _schedule.Changed();
        _schedule.Damaged();
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(Timeout.InfiniteTimeSpan, _schedule.UntilDue());
        _schedule.Open();
        Assert.Equal(TimeSpan.Zero, _schedule.UntilDue());
    }

    [Fact]
    public void A_burst_of_changes_waits_for_its_end_but_not_for_ever()
    {
        Applied();
        _time.Advance(TimeSpan.FromSeconds(1));
        _schedule.Changed();
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(Milliseconds(20 - 5 * i), _schedule.UntilDue());
            _time.Advance(Milliseconds(5));
            _schedule.Changed();
        }
        Assert.Equal(TimeSpan.Zero, _schedule.UntilDue());
    }

    /// <summary>At most a fifth of one core: an apply of 50 ms is followed by 200 ms without, however many changes there are.</summary>
    [Fact]
    public void Changes_without_end_leave_four_fifths_of_the_time()
    {
        _schedule.Open();
        TimeSpan busy = TimeSpan.Zero, started = _time.GetElapsedTime(0);
        for (int i = 0; i < 40; i++)
        {
            _schedule.Changed();
            _time.Advance(_schedule.UntilDue());
            Applied(took: Milliseconds(50));
            busy += Milliseconds(50);
        }
        TimeSpan all = _time.GetElapsedTime(0) - started;
        Assert.InRange(busy / all, 0.15, 0.21);
    }

    [Fact]
    public void Damage_is_repaired_within_a_second_even_if_an_apply_takes_long()
    {
        Applied(took: TimeSpan.FromSeconds(3));
        _schedule.Damaged();
        Assert.InRange(_schedule.UntilDue(), Milliseconds(1), Milliseconds(1000));
    }

    [Fact]
    public void Damage_after_a_quiet_time_is_repaired_at_once()
    {
        Applied();
        _time.Advance(TimeSpan.FromSeconds(5));
        _schedule.Damaged();
        Assert.Equal(ReconcileSchedule.Settle, _schedule.UntilDue());
    }

    [Fact]
    public void Who_damages_again_and_again_does_not_keep_us_busy()
    {
        _schedule.Open();
        int applies = 0;
        for (int i = 0; i < 10_000; i++)
        {
            _schedule.Damaged();
            if (_schedule.UntilDue() == TimeSpan.Zero)
            {
                Applied();
                applies++;
            }
            _time.Advance(Milliseconds(1));
        }
        Assert.InRange(applies, 35, 41);
    }

    [Fact]
    public void What_happens_during_an_apply_is_for_the_next_one()
    {
        _schedule.Open();
        _schedule.Changed();
        _schedule.Begin();
        _schedule.Changed();
        _time.Advance(Milliseconds(1));
        _schedule.End(failed: false);
        Assert.Equal(ReconcileSchedule.ChangeInterval, _schedule.UntilDue());
    }

    [Fact]
    public void Everything_is_looked_at_again_every_half_minute()
    {
        Applied();
        Assert.Equal(TimeSpan.FromSeconds(30), _schedule.UntilDue());
    }

    [Fact]
    public void Failures_are_tried_again_less_and_less_often_and_a_success_begins_anew()
    {
        double[] waits = new double[10];
        for (int i = 0; i < waits.Length; i++)
        {
            Applied(failed: true);
            waits[i] = _schedule.UntilDue().TotalSeconds;
            _time.Advance(_schedule.UntilDue());
        }
        Assert.Equal([0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30], waits);
        Applied();
        Applied(failed: true);
        Assert.Equal(0.25, _schedule.UntilDue().TotalSeconds);
    }

    [Fact]
    public void A_change_does_not_wait_for_the_next_try_of_what_failed()
    {
        for (int i = 0; i < 10; i++) Applied(failed: true);
        _schedule.Changed();
        Assert.Equal(ReconcileSchedule.ChangeInterval, _schedule.UntilDue());
    }

    private void Applied(TimeSpan took = default, bool failed = false)
    {
        _schedule.Open();
        _schedule.Begin();
        _time.Advance(took);
        Assert.Equal(took, _schedule.End(failed));
    }

    private static TimeSpan Milliseconds(double count) => TimeSpan.FromMilliseconds(count);
}
