namespace FlannelFast.Lab.Statistics;

/// <summary>A comparison of two runs.</summary>
/// <param name="Ratio">After divided by before.</param>
/// <param name="Verdict">What it means.</param>
internal readonly record struct Change(RatioEstimate Ratio, Verdict Verdict);
