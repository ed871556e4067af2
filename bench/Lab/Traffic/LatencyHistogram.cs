using System.Numerics;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// Counts durations in log-linear buckets (the layout HdrHistogram made known): up to 256 every value has its own bucket, above
/// each power of two is cut into 128 equal parts, so a bucket is at most 1/128 of its value wide and its middle at most
/// 0.4 % off. All buckets exist from the start: recording is one increment and never allocates.
/// One thread records; merge or read after it has ended.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 7;
    private const int SubCount = 1 << SubBits;

    // Shifts 0 to 55 cover 63-bit values; shift 0 uses two parts' worth of buckets (0 to 255).
    private const int BucketCount = (64 - SubBits) * SubCount;

    private readonly long[] _counts = new long[BucketCount];

    /// <summary>Values recorded.</summary>
    internal long Count { get; private set; }

    /// <summary>The least value, exact; 0 when empty.</summary>
    internal long Min { get; private set; }

    /// <summary>The greatest value, exact; 0 when empty.</summary>
    internal long Max { get; private set; }

    /// <summary>Records one value; a negative one counts as 0.</summary>
    internal void Record(long value)
    {
        value = Math.Max(value, 0);
        _counts[Index(value)]++;
        if (Count == 0 || value < Min) Min = value;
        if (value > Max) Max = value;
        Count++;
    }

    /// <summary>Adds everything another histogram holds.</summary>
    internal void Merge(LatencyHistogram other)
    {
        if (other.Count == 0) return;
        for (int i = 0; i < BucketCount; i++) _counts[i] += other._counts[i];
        Min = Count == 0 ? other.Min : Math.Min(Min, other.Min);
        Max = Math.Max(Max, other.Max);
        Count += other.Count;
    }

    /// <summary>
    /// The least recorded value that at least this share of all values does not exceed (nearest rank), at most 0.4 % off.
    /// </summary>
    /// <param name="quantile">0 to 1. 0 gives the minimum and 1 the maximum, both exact.</param>
    /// <returns>0 when empty.</returns>
    internal long Quantile(double quantile)
    {
        if (!(quantile is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(quantile), quantile, "a quantile is from 0 to 1");
        long rank = Rank(quantile, Count);
        if (rank <= 1) return Min;
        if (rank >= Count) return Max;
        long seen = 0;
        int index = -1;
        while (seen < rank) seen += _counts[++index];
        return Math.Clamp(Middle(index), Min, Max);
    }

    /// <summary>The nearest rank, 1 to <paramref name="count"/>.</summary>
    internal static long Rank(double quantile, long count) => (long)Math.Clamp(Math.Ceiling(quantile * count), 1, Math.Max(count, 1));

    /// <summary>The buckets that hold something, by ascending value: for reports. Give it back to <see cref="FromBuckets"/>.</summary>
    internal IEnumerable<HistogramBucket> Buckets()
    {
        for (int i = 0; i < BucketCount; i++)
        {
            if (_counts[i] > 0) yield return new HistogramBucket(Lowest(i), _counts[i]);
        }
    }

    /// <summary>A histogram from the buckets of another, for merging reports; minimum and maximum are as exact as the report has them.</summary>
    internal static LatencyHistogram FromBuckets(IEnumerable<HistogramBucket> buckets, long min, long max)
    {
        LatencyHistogram histogram = new();
        foreach (HistogramBucket bucket in buckets)
        {
            if (bucket.From < 0 || bucket.Count <= 0) throw new ArgumentException($"a bucket from {bucket.From} with {bucket.Count} values cannot be", nameof(buckets));
            histogram._counts[Index(bucket.From)] += bucket.Count;
            histogram.Count += bucket.Count;
        }
        if (histogram.Count > 0) (histogram.Min, histogram.Max) = (min, max);
        return histogram;
    }

    private static int Index(long value)
    {
        int shift = Math.Max(0, 63 - BitOperations.LeadingZeroCount((ulong)value | 1) - SubBits);
        return (shift << SubBits) + (int)(value >> shift);
    }

    private static long Lowest(int index)
    {
        int shift = Math.Max(0, (index >> SubBits) - 1);
        return (long)(index - (shift << SubBits)) << shift;
    }

    private static long Middle(int index)
    {
        int shift = Math.Max(0, (index >> SubBits) - 1);
        return Lowest(index) + ((1L << shift) >> 1);
    }
}
