using System.Globalization;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Statistics;

namespace FlannelFast.Daemon.Rendering;

/// <summary>Reports of the lab as tables.</summary>
internal static class LabRenderer
{
    // Told in the files; a table has room for what decides.
    private static readonly string[] s_onlyInFiles =
        [MeasureInfo.Retransmits, MeasureInfo.P90];

    /// <summary>Writes the result of a run: a table per workload, then what it was measured on.</summary>
    internal static void WriteReport(TextWriter output, LabReport report, TerminalStyle style)
    {
        foreach (WorkloadFacts workload in report.Workloads)
        {
            output.WriteLine();
            output.WriteLine($"{style.Heading(workload.Title)}{(workload.IsPrecise ? "" : style.Faint($"  (interval wider than ±{Number(report.Scenario.PrecisionPercent, 1)} %)"))}");
            foreach (string line in Table(report, workload, style).Lines()) output.WriteLine(line);
        }
        output.WriteLine();
        output.WriteLine(style.Heading("What it cost"));
        foreach (string line in Costs(report, style).Lines()) output.WriteLine(line);
        foreach (string line in report.Drops.Select(d => string.Create(CultureInfo.InvariantCulture, $"dropped: {d.Workload} on {d.Contender}: {d.Count:N0} {d.Reason}"))) output.WriteLine(style.Faint(line));
        if (report.Profiles.Count > 0) WriteProfiles(output, report, style);
        output.WriteLine();
        foreach (FailedMeasurement failure in report.Failures)
            output.WriteLine(style.Warning($"failed: {failure.Workload} on {failure.Contender}, round {failure.Round}: {failure.Message}"));
        if (report.Interrupted) output.WriteLine(style.Warning("interrupted: only the rounds finished until then are here"));
        int rounds = report.Measurements.Max(m => (int?)m.Round) ?? 0;
        output.WriteLine(style.Faint($"medians of up to {rounds} rounds; in brackets the 95 % interval (below six rounds: the whole range) of the ratio within rounds to {report.Scenario.Baseline ?? "nothing"}"));
        if (report.CoreCopy is { } copy)
            output.WriteLine(style.Faint(string.Create(CultureInfo.InvariantCulture, $"core-to-core copy {copy.Median} GB/s, {copy.Slowest} to {copy.Fastest} between measurements{(copy.Fastest > 2 * copy.Slowest ? ": the processors were moved meanwhile" : "")}")));
        output.WriteLine(style.Faint(Facts(report)));
    }

    /// <summary>Writes what differs between two runs.</summary>
    internal static void WriteChanges(
        TextWriter output, LabReport before, LabReport after, IReadOnlyList<ReportChange> changes, TerminalStyle style)
    {
        var table = new TextTable(Column.Left, Column.Left, Column.Left, Column.Right, Column.Right, Column.Right, Column.Left, Column.Left);
        table.AddStyled(style.Heading, "workload", "contender", "", "before", "after", "change", "95 %", "");
        foreach (ReportChange change in changes.Where(c => c.Change.Verdict is Verdict.Improved or Verdict.Regressed))
        {
            bool worse = change.Change.Verdict == Verdict.Regressed;
            string verdict = !worse ? "better" : ReportComparison.IsRegression(change, after) ? "WORSE" : "worse (baseline: the machine)";
            RatioEstimate ratio = change.Change.Ratio;
            table.AddStyled(
                worse ? style.Warning : style.Good, change.Workload, change.Contender, change.Measure.Column,
                Number(change.Before, change.Measure.Digits), Number(change.After, change.Measure.Digits), Percent(ratio.Ratio),
                $"{Percent(ratio.Interval.Low)} to {Percent(ratio.Interval.High)}{(change.IsRelative ? $" against {after.Scenario.Baseline}" : "")}", verdict);
        }
        int changed = changes.Count(c => c.Change.Verdict is Verdict.Improved or Verdict.Regressed);
        if (changed > 0)
        {
            foreach (string line in table.Lines()) output.WriteLine(line);
        }
        int undecided = changes.Count(c => c.Change.Verdict == Verdict.Undecided);
        output.WriteLine($"{changed} changed, {changes.Count(c => c.Change.Verdict == Verdict.Unchanged)} unchanged, {undecided} undecided");
        if (undecided > 0) output.WriteLine(style.Faint($"undecided: too noisy, or fewer than {ChangeDetector.MinRounds} rounds"));
        output.WriteLine(style.Faint($"before: {Facts(before)}"));
        output.WriteLine(style.Faint($"after:  {Facts(after)}"));
    }

    private static void WriteProfiles(TextWriter output, LabReport report, TerminalStyle style)
    {
        output.WriteLine();
        output.WriteLine($"{style.Heading("Where the time went")}{style.Faint("  (percent of the whole machine, in a round that is not in the figures)")}");
        var table = new TextTable(Column.Left, Column.Left, Column.Right, Column.Right, Column.Right, Column.Right, Column.Left);
        table.AddStyled(style.Faint, "", "", "FlannelFast", "kernel", "libraries", "idle", "system calls of the daemons");
        foreach (ProfileFacts profile in report.Profiles)
        {
            SystemCallShare[] most = [.. profile.SystemCalls];
            string calls = string.Join(", ", most[..Math.Min(most.Length, 4)].Select(c => $"{c.Name} {Number(c.Percent, 1)}"));
            table.Add(
                profile.Workload, profile.Contender, Number(profile.OwnPercent, 1), Number(profile.KernelPercent, 1), Number(profile.LibraryPercent, 1),
                Number(profile.IdlePercent, 1), calls.Length > 0 ? calls : "-");
        }
        foreach (string line in table.Lines()) output.WriteLine(line);
        foreach (ProfileFacts profile in report.Profiles)
        {
            string threads = string.Join(", ", profile.Threads.Select(t => $"{t.Name} {Number(t.Percent, 1)}"));
            output.WriteLine(style.Faint($"{profile.Workload} on {profile.Contender}: {threads}"));
        }
    }

    private static TextTable Costs(LabReport report, TerminalStyle style)
    {
        MeasureInfo[] measures = [.. MeasureInfo.All.Where(m => m.IsCost && m.Name != MeasureInfo.Drops && report.Summaries.Any(s => s.Measure == m.Name))];
        var table = new TextTable([Column.Left, Column.Left, .. measures.Select(_ => Column.Right)]);
        table.AddStyled(style.Faint, ["", "", .. measures.Select(m => m.Column)]);
        foreach (WorkloadFacts workload in report.Workloads)
        {
            foreach (ContenderFacts contender in report.Contenders)
            {
                Summary[] summaries = [.. report.Summaries.Where(s => s.Workload == workload.Id && s.Contender == contender.Name)];
                if (summaries.Length == 0) continue;
                table.Add([workload.Id, contender.Name, .. measures.Select(m => summaries.FirstOrDefault(s => s.Measure == m.Name) is { } s ? Number(s.Value.Median, m.Digits) : "-")]);
            }
        }
        return table;
    }

    private static TextTable Table(LabReport report, WorkloadFacts workload, TerminalStyle style)
    {
        Summary[] summaries = [.. report.Summaries.Where(s => s.Workload == workload.Id)];
        MeasureInfo[] measures = [.. MeasureInfo.All.Where(m => summaries.Any(s => s.Measure == m.Name && IsWorthAColumn(s, m)))];
        var columns = new List<Column> { Column.Left };
        var heads = new List<string> { "" };
        foreach (MeasureInfo measure in measures)
        {
            columns.Add(Column.Right);
            heads.Add(measure.Column);
            if (!measure.IsHeadline || report.Scenario.Baseline is null) continue;
            columns.Add(Column.Left);
            heads.Add($"vs {report.Scenario.Baseline}");
        }
        var table = new TextTable([.. columns]);
        table.AddStyled(style.Faint, [.. heads]);
        foreach (ContenderFacts contender in report.Contenders)
        {
            var cells = new List<string> { contender.Name };
            foreach (MeasureInfo measure in measures)
            {
                Summary? summary = summaries.FirstOrDefault(s => s.Contender == contender.Name && s.Measure == measure.Name);
                cells.Add(summary is null ? "-" : Number(summary.Value.Median, measure.Digits));
                if (!measure.IsHeadline || report.Scenario.Baseline is null) continue;
                cells.Add(summary?.Ratio is { } ratio ? $"{Number(ratio.Median, 2)} [{Number(ratio.Low, 2)} {Number(ratio.High, 2)}]" : "");
            }
            table.Add([.. cells]);
        }
        return table;
    }

    // A column of zeroes takes the room of one that says something.
    private static bool IsWorthAColumn(Summary summary, MeasureInfo measure) =>
        !measure.IsCost && !s_onlyInFiles.Contains(measure.Name) && (!measure.IsFault || summary.Value.High > 0);

    private static string Facts(LabReport report) => string.Create(
        CultureInfo.InvariantCulture,
        $"{report.Scenario.Name}: {report.Scenario.Describe()} · {report.Machine.Cores} × {report.Machine.Processor}, Linux {report.Machine.Kernel} · flannelfast {report.Program.Version} {report.Program.Revision?[..Math.Min(10, report.Program.Revision.Length)] ?? "of unknown revision"} · {report.Date:yyyy-MM-dd HH:mm} UTC, {report.DurationSeconds:0} s");

    private static string Number(double value, int digits) => value.ToString($"N{digits}", CultureInfo.InvariantCulture);

    private static string Percent(double ratio) => ((ratio - 1) * 100).ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture) + " %";
}
