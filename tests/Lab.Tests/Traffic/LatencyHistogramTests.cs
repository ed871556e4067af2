using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Tests.Traffic;

public sealed class LatencyHistogramTests
{
    private static readonly double[] s_quantiles = [0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.99999, 1];

    [Fact]
    public void Quantiles_are_those_of_the_sorted_values_within_half_a_percent()
    {
        Random random = new(1);
        foreach (int count in new[] { 1, 2, 3, 10, 1000, 50_000 })
        {
            long[] values = Values(random, count);
            LatencyHistogram histogram = Of(values);
            Array.Sort(values);
            foreach (double quantile in s_quantiles)
            {
                long exact = values[(int)LatencyHistogram.Rank(quantile, count) - 1];
                long got = histogram.Quantile(quantile);
                Assert.True(Math.Abs(got - exact) <= exact * 0.005, $"{quantile} of {count}: {got}, exactly {exact}");
            }
            Assert.Equal((values[0], values[^1], count), (histogram.Min, histogram.Max, (int)histogram.Count));
        }
    }

    [Fact]
    public void Every_power_of_two_and_its_neighbours_fall_into_a_bucket_that_holds_them()
    {
        for (int shift = 0; shift < 63; shift++)
        {
            foreach (long value in new[] { (1L << shift) - 1, 1L << shift, (1L << shift) + 1 })
            {
                HistogramBucket bucket = Assert.Single(Of([value]).Buckets());
                Assert.InRange(value - bucket.From, 0, value / 128);
            }
        }
        Assert.InRange(long.MaxValue - Assert.Single(Of([long.MaxValue]).Buckets()).From, 0, long.MaxValue / 128);
    }

    [Fact]
    public void Small_values_are_exact() =>
        Assert.Equal(Enumerable.Range(0, 256).Select(i => new HistogramBucket(i, 1)), Of([.. Enumerable.Range(0, 256).Select(i => (long)i)]).Buckets());

    [Fact]
    public void Merging_gives_what_recording_everything_in_one_gives()
    {
        Random random = new(2);
        long[] first = Values(random, 500), second = Values(random, 700);
        LatencyHistogram merged = Of(first);
        merged.Merge(Of(second));
        merged.Merge(new LatencyHistogram());
        LatencyHistogram whole = Of([.. first, .. second]);
        Assert.Equal(whole.Buckets(), merged.Buckets());
        Assert.Equal((whole.Count, whole.Min, whole.Max), (merged.Count, merged.Min, merged.Max));
    }

    [Fact]
    public void A_report_holds_the_whole_histogram()
    {
        LatencyHistogram histogram = Of(Values(new Random(3), 5000));
        LatencyHistogram again = LatencySummary.From(histogram).ToHistogram();
        Assert.Equal(histogram.Buckets(), again.Buckets());
        foreach (double quantile in s_quantiles) Assert.Equal(histogram.Quantile(quantile), again.Quantile(quantile));
    }

    [Fact]
    public void An_empty_histogram_says_zero()
    {
        LatencyHistogram histogram = new();
        Assert.Equal((0L, 0L, 0L, 0L), (histogram.Count, histogram.Min, histogram.Max, histogram.Quantile(0.5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => histogram.Quantile(double.NaN));
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        LatencyHistogram histogram = new();
        histogram.Record(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (long i = 0; i < 10_000; i++) histogram.Record(i * i);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static LatencyHistogram Of(long[] values)
    {
        LatencyHistogram histogram = new();
        foreach (long value in values) histogram.Record(value);
        return histogram;
    }

    private static long[] Values(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (long)Math.Exp(random.NextDouble() * 25))];
}
