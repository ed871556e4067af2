using FlannelFast.Lab.Running;

namespace FlannelFast.Lab.Tests.Running;

public sealed class MachineUsageTests
{
    [Fact]
    public void Two_readings_are_subtracted_and_sums_added()
    {
        MachineUsage earlier = new(1.5, 10, 100, 1000), later = new(2, 13, 150, 1600);
        Assert.Equal(new MachineUsage(0.5, 3, 50, 600), later - earlier);
        Assert.Equal(new MachineUsage(3.5, 23, 250, 2600), later + earlier);
    }

    /// <summary>A pool's thread that ends takes what it had used with it, and the table showed -2 switches a second.</summary>
    [Fact]
    public void Threads_that_ended_do_not_make_less_than_nothing() =>
        Assert.Equal(new MachineUsage(0, 3, 0, 600), new MachineUsage(1, 13, 90, 1600) - new MachineUsage(1.5, 10, 100, 1000));
}
