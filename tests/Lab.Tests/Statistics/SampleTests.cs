using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Tests.Statistics;

public sealed class SampleTests
{
    [Fact]
    public void Median_and_deviation_of_known_samples()
    {
        Assert.Equal(3, Sample.Median([5, 1, 3]));
        Assert.Equal(2.5, Sample.Median([4, 1, 3, 2]));
        Assert.Equal(1, Sample.MedianAbsoluteDeviation([1, 1, 2, 2, 4, 6, 9]));
        Assert.Equal(0, Sample.MedianAbsoluteDeviation([7]));
    }

    [Fact]
    public void What_is_no_measurement_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Sample.Median([]));
        Assert.Throws<ArgumentException>(() => Sample.Median([1, double.NaN]));
        Assert.Throws<ArgumentException>(() => HodgesLehmann.Paired([1, 2], [1]));
        Assert.Throws<ArgumentException>(() => HodgesLehmann.Unpaired([1, 2], [0, 1]));
    }

    // The table of Conover, Practical Nonparametric Statistics: ranks of the 95 % interval of a median.
    [Theory]
    [InlineData(6, 1, 6, 0.96875)]
    [InlineData(8, 1, 8, 0.9921875)]
    [InlineData(9, 2, 8, 0.9609375)]
    [InlineData(10, 2, 9, 0.978515625)]
    [InlineData(20, 6, 15, 0.95861053466796875)]
    [InlineData(5, 1, 5, 0.9375)]
    [InlineData(1, 1, 1, 0)]
    public void Interval_of_the_median_uses_the_tabled_ranks(int count, int low, int high, double confidence)
    {
        Interval interval = Sample.MedianInterval([.. Enumerable.Range(1, count).Select(i => (double)i)]);
        Assert.Equal((low, high), (interval.Low, interval.High));
        Assert.Equal(confidence, interval.Confidence, 8);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(12)]
    [InlineData(31)]
    public void Interval_of_the_median_covers_it_as_often_as_it_says(int count)
    {
        const int Trials = 4000;
        Random random = new(count);
        int covered = 0;
        double said = 0;
        for (int t = 0; t < Trials; t++)
        {
            // Skewed, as durations are; its median is ln 2.
            Interval interval = Sample.MedianInterval([.. Enumerable.Range(0, count).Select(_ => -Math.Log(1 - random.NextDouble()))]);
            said = interval.Confidence;
            if (interval.Contains(Math.Log(2))) covered++;
        }
        Assert.InRange(covered / (double)Trials, said - 0.015, said + 0.015);
    }
}
