using FlannelFast.Control.Backends;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Backends;

public sealed class RepairSignalTests
{
    private readonly ManualTimeProvider _time = new();
    private int _calls;

    [Fact]
    public void Many_reports_are_one_call_a_moment_after_the_first()
    {
        using RepairSignal signal = new(_time, () => _calls++);
        for (int i = 0; i < 10; i++)
        {
            signal.Report();
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }
        _time.Advance(TimeSpan.FromMilliseconds(9));
        Assert.Equal(0, _calls);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _calls);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, _calls);
    }

    [Fact]
    public void What_is_reported_during_a_call_gets_another()
    {
        RepairSignal? signal = null;
        using RepairSignal made = new(_time, () =>
        {
            if (++_calls == 1) signal!.Report();
        });
        signal = made;
        signal.Report();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _calls);
    }

    [Fact]
    public void After_its_end_nothing_is_called()
    {
        RepairSignal signal = new(_time, () => _calls++);
        signal.Report();
        signal.Dispose();
        signal.Report();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, _calls);
    }
}
