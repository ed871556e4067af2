namespace FlannelFast.Lab.Traffic;

/// <summary>One bucket of a <see cref="LatencyHistogram"/> in a report.</summary>
/// <param name="From">The least value that falls into it, nanoseconds.</param>
/// <param name="Count">How many did.</param>
internal sealed record HistogramBucket(long From, long Count);
