using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Tests.Statistics;

public sealed class TrendTests
{
    private static readonly double[] s_seconds = [.. Enumerable.Range(0, 100).Select(i => (double)i)];

    [Fact]
    public void A_decline_of_a_tenth_is_found_in_noise()
    {
        Random random = new(3);
        double[] rates = [.. s_seconds.Select(t => 10 * (1 - (0.1 * t / 99)) * (1 + (0.1 * (random.NextDouble() - 0.5))))];
        Assert.InRange(Trend.Drift(s_seconds, rates), -0.13, -0.08);
    }

    [Fact]
    public void A_few_stalls_are_no_drift()
    {
        double[] rates = [.. s_seconds.Select(t => t > 90 ? 1.0 : 10.0)];
        Assert.Equal(0, Trend.Drift(s_seconds, rates));
    }

    [Fact]
    public void A_whole_day_of_seconds_is_no_work()
    {
        double[] x = [.. Enumerable.Range(0, 86_400).Select(i => (double)i)], y = [.. x.Select(t => 1 + (t / 86_399))];
        Assert.InRange(Trend.Drift(x, y), 0.66, 0.67); // from 1 to 2, with a median of 1.5
    }

    [Fact]
    public void Intervals_without_traffic_and_those_half_filled_are_left_out()
    {
        Assert.Equal([5, 0, 6], Trend.WithoutEnds([0, 0, 3, 5, 0, 6, 2, 0]));
        Assert.Empty(Trend.WithoutEnds([0, 3, 2, 0]));
        Assert.Empty(Trend.WithoutEnds([0, 0]));
        Assert.Empty(Trend.WithoutEnds([]));
    }

    [Fact]
    public void What_is_no_line_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Trend.Drift([1], [1]));
        Assert.Throws<ArgumentException>(() => Trend.Drift([1, 2], [1]));
        Assert.Throws<ArgumentException>(() => Trend.Drift([1, 2], [0, 0]));
    }
}
