namespace FlannelFast.Lab.Statistics;

/// <summary>A ratio of two quantities.</summary>
/// <param name="Ratio">The one divided by the other.</param>
/// <param name="Interval">Its confidence interval.</param>
internal readonly record struct RatioEstimate(double Ratio, Interval Interval);
