using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Reports;

/// <summary>Turns rounds into medians, ratios and intervals.</summary>
internal static class Summarizer
{
    /// <summary>Summarizes every quantity of every workload on every contender, in the order in which they first appear.</summary>
    /// <param name="measurements">All rounds.</param>
    /// <param name="baseline">Contender that ratios refer to, or null.</param>
    internal static IReadOnlyList<Summary> Summarize(IReadOnlyList<Measurement> measurements, string? baseline) =>
    [
        .. from workload in measurements.Select(m => m.Workload).Distinct()
           from contender in measurements.Where(m => m.Workload == workload).OrderBy(m => m.Round).Select(m => m.Contender).Distinct()
           from measure in MeasureInfo.All
           let values = Values(measurements, workload, contender, measure.Name)
           where values.Count > 0
           select new Summary(
               workload, contender, measure.Name, measure.Unit, measure.IsHigherBetter ? "higher" : "lower", values.Count,
               OfValues([.. values.Values]),
               baseline is null || baseline == contender ? null : OfRatios(values, Values(measurements, workload, baseline, measure.Name))),
    ];

    /// <summary>The values of one quantity by round.</summary>
    internal static IReadOnlyDictionary<int, double> Values(IReadOnlyList<Measurement> measurements, string workload, string contender, string measure) =>
        measurements.Where(m => m.Workload == workload && m.Contender == contender && m.Values.ContainsKey(measure))
            .ToDictionary(m => m.Round, m => m.Values[measure]);

    private static Estimate OfValues(double[] values)
    {
        Interval interval = Sample.MedianInterval(values);
        return new(Sample.Median(values), interval.Low, interval.High);
    }

    // Only rounds in which both were measured; a quotient with a zero says nothing.
    private static Estimate? OfRatios(IReadOnlyDictionary<int, double> values, IReadOnlyDictionary<int, double> baseline)
    {
        int[] rounds = [.. values.Keys.Where(r => values[r] > 0 && baseline.TryGetValue(r, out double b) && b > 0).Order()];
        if (rounds.Length == 0) return null;
        RatioEstimate ratio = HodgesLehmann.Paired(rounds.Select(r => values[r]).ToArray(), rounds.Select(r => baseline[r]).ToArray());
        return new(ratio.Ratio, ratio.Interval.Low, ratio.Interval.High);
    }
}
