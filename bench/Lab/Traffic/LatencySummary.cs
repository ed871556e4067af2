namespace FlannelFast.Lab.Traffic;

/// <summary>A distribution of durations in nanoseconds. Quantiles are nearest-rank, at most 0.4 % off; least and greatest are exact.</summary>
internal sealed record LatencySummary
{
    public long Count { get; init; }

    public long MinNs { get; init; }

    public long P50Ns { get; init; }

    public long P90Ns { get; init; }

    public long P99Ns { get; init; }

    /// <summary>99.9 %.</summary>
    public long P999Ns { get; init; }

    public long MaxNs { get; init; }

    /// <summary>The whole distribution, sparse, so that reports can merge it or plot it.</summary>
    public required IReadOnlyList<HistogramBucket> Buckets { get; init; }

    internal static LatencySummary From(LatencyHistogram histogram) => new()
    {
        Count = histogram.Count,
        MinNs = histogram.Min,
        P50Ns = histogram.Quantile(0.5),
        P90Ns = histogram.Quantile(0.9),
        P99Ns = histogram.Quantile(0.99),
        P999Ns = histogram.Quantile(0.999),
        MaxNs = histogram.Max,
        Buckets = [.. histogram.Buckets()],
    };

    /// <summary>The histogram again, for merging.</summary>
    internal LatencyHistogram ToHistogram() => LatencyHistogram.FromBuckets(Buckets, MinNs, MaxNs);
}
