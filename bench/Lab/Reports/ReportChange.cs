using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Reports;

/// <summary>One quantity in two reports.</summary>
/// <param name="Workload">Workload.</param>
/// <param name="Contender">Contender.</param>
/// <param name="Measure">Quantity.</param>
/// <param name="Before">Median in the first report.</param>
/// <param name="After">Median in the second.</param>
/// <param name="IsRelative">True if the change is that of the ratio to the baseline, not of the value.</param>
/// <param name="Change">After divided by before, and what it means.</param>
internal sealed record ReportChange(
    string Workload, string Contender, MeasureInfo Measure, double Before, double After, bool IsRelative, Change Change);
