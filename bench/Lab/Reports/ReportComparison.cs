using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Reports;

/// <summary>
/// What changed between two runs. Where both measured the same baseline, ratios to it within each round are compared, so that a slower
/// machine is not taken for a slower program; the baseline itself and runs without one are compared by value.
/// </summary>
internal static class ReportComparison
{
    /// <summary>Compares everything that both have.</summary>
    /// <param name="before">First report.</param>
    /// <param name="after">Second report.</param>
    /// <param name="tolerance">Relative change that does not matter, 0.03 for 3 %.</param>
    /// <exception cref="LabException">The reports are of different set-ups, or have nothing in common.</exception>
    internal static IReadOnlyList<ReportChange> Compare(LabReport before, LabReport after, double tolerance)
    {
        RefuseDifferentSetup(before.Scenario, after.Scenario);
        string? baseline = before.Scenario.Baseline == after.Scenario.Baseline ? before.Scenario.Baseline : null;
        var pairs = new List<(Summary Before, Summary After, MeasureInfo Measure, bool IsRelative, double[] Old, double[] Now)>();
        foreach (Summary summary in after.Summaries)
        {
            if (MeasureInfo.Find(summary.Measure) is not { IsCompared: true } measure) continue;
            if (before.Summaries.FirstOrDefault(s => (s.Workload, s.Contender, s.Measure) == (summary.Workload, summary.Contender, summary.Measure)) is not { } earlier)
                continue;
            bool relative = baseline is not null && summary.Contender != baseline && summary.Ratio is not null && earlier.Ratio is not null;
            double[] old = Values(before, earlier, relative ? baseline : null), now = Values(after, summary, relative ? baseline : null);
            // Nothing is a multiple of zero.
            if (old.Length == 0 || now.Length == 0 || old.Min() <= 0 || now.Min() <= 0) continue;
            pairs.Add((earlier, summary, measure, relative, old, now));
        }
        List<ReportChange> changes =
        [
            .. from p in pairs
               let change = ChangeDetector.Compare(p.Old, p.Now, p.Measure.IsHigherBetter, tolerance, pairs.Count)
               select new ReportChange(p.After.Workload, p.After.Contender, p.Measure, p.Before.Value.Median, p.After.Value.Median, p.IsRelative, change),
        ];
        return changes.Count > 0 ? changes : throw LabException.Input("the two reports have no workload and contender in common");
    }

    /// <summary>Whether a change makes the comparison fail. The baseline is not the program's: its changes are the machine's.</summary>
    internal static bool IsRegression(ReportChange change, LabReport report) =>
        change.Change.Verdict == Verdict.Regressed && change.Contender != report.Scenario.Baseline;

    private static double[] Values(LabReport report, Summary summary, string? baseline)
    {
        IReadOnlyDictionary<int, double> values = Summarizer.Values(report.Measurements, summary.Workload, summary.Contender, summary.Measure);
        if (baseline is null) return [.. values.Values];
        IReadOnlyDictionary<int, double> divisors = Summarizer.Values(report.Measurements, summary.Workload, baseline, summary.Measure);
        return [.. values.Where(v => divisors.GetValueOrDefault(v.Key) > 0).Select(v => v.Value / divisors[v.Key])];
    }

    private static void RefuseDifferentSetup(ScenarioFacts before, ScenarioFacts after)
    {
        foreach ((string what, object one, object two) in new (string, object, object)[]
        {
            ("topology", before.Topology, after.Topology), ("underlay", before.Underlay, after.Underlay),
            ("MTU", before.Mtu, after.Mtu), ("loss", before.LossPercent, after.LossPercent), ("delay", before.DelayMs, after.DelayMs),
            ("reordering", before.ReorderPercent, after.ReorderPercent), ("duplication", before.DuplicatePercent, after.DuplicatePercent),
        })
        {
            if (!one.Equals(two)) throw LabException.Input($"the two reports cannot be compared: {what} is {one} in the first and {two} in the second");
        }
    }
}
