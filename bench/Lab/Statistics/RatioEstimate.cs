namespace FlannelFast.Lab.Statistics;

/// <summary>A ratio of two medians.</summary>
/// <param name="Ratio">Median of the one divided by the median of the other.</param>
/// <param name="Interval">Its confidence interval.</param>
internal readonly record struct RatioEstimate(double Ratio, Interval Interval);
