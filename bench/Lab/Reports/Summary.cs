namespace FlannelFast.Lab.Reports;

/// <summary>One quantity of one workload on one contender, over all rounds.</summary>
/// <param name="Workload">Workload.</param>
/// <param name="Contender">Contender.</param>
/// <param name="Measure">By <see cref="MeasureInfo.Name"/>.</param>
/// <param name="Unit">Unit of <paramref name="Value"/>.</param>
/// <param name="Better">"higher" or "lower".</param>
/// <param name="Rounds">How many measurements went in.</param>
/// <param name="Value">Of the values.</param>
/// <param name="Ratio">Of the ratios to the baseline within each round; null for the baseline itself and without one.</param>
internal sealed record Summary(
    string Workload, string Contender, string Measure, string Unit, string Better, int Rounds, Estimate Value, Estimate? Ratio);
