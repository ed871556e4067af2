using System.Globalization;
using System.Text;
using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Rendering;

/// <summary>A run as one page without any reference to the outside: it can be mailed and opened years later.</summary>
internal static class HtmlReport
{
    // One pattern for the whole page: SVG images of one document share their ids.
    private const string Patterns = "<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\"><defs><pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><line class=\"hatch\" x1=\"0\" x2=\"0\" y1=\"0\" y2=\"7\"/></pattern></defs></svg>\n";

    /// <summary>Makes the page.</summary>
    /// <param name="report">The run.</param>
    /// <param name="file">Where the page will be, from which it refers to flame graphs; null refers to them by their whole path.</param>
    internal static string Create(LabReport report, string? file = null)
    {
        var page = new StringBuilder();
        string title = $"flannelfast lab: {report.Scenario.Name}";
        page.Append(CultureInfo.InvariantCulture, $"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{Markup.Text(title)}</title>\n<style>\n{Resources.Text("palette.css")}{Resources.Text("report.css")}</style>\n</head>\n<body>\n<main>\n{Patterns}");
        page.Append(CultureInfo.InvariantCulture, $"<h1>{Markup.Text(title)}</h1>\n<p class=\"soft\">{Markup.Text(Setup(report))}</p>\n");
        page.Append("<p class=\"soft\">Bar: median. Whisker: its 95 % interval. Dots: the rounds, those beyond the scale at its end. Dashed line and hatched bar: the baseline. ×: ratio to the baseline within rounds, and its 95 % interval. With fewer than six rounds an interval is the whole range.</p>\n");
        if (report.Interrupted) page.Append("<section class=\"failed\">Interrupted: only the rounds finished until then are here.</section>\n");
        foreach (FailedMeasurement failure in report.Failures)
            page.Append(CultureInfo.InvariantCulture, $"<section class=\"failed\">{Markup.Text($"{failure.Workload} on {failure.Contender} failed in round {failure.Round}: {failure.Message}")}</section>\n");
        page.Append(GlanceTable.Draw(report));
        foreach (WorkloadFacts workload in report.Workloads) AppendWorkload(page, report, workload, file);
        AppendDrops(page, report);
        AppendFacts(page, report);
        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void AppendWorkload(StringBuilder page, LabReport report, WorkloadFacts workload, string? file)
    {
        MeasureInfo[] measures = [.. MeasureInfo.All.Where(m => report.Summaries.Any(s => s.Workload == workload.Id && s.Measure == m.Name))];
        if (measures.Length == 0) return;
        page.Append(CultureInfo.InvariantCulture, $"<section id=\"{Markup.Text(workload.Id)}\">\n<h2>{Markup.Text(workload.Title)}</h2>\n");
        foreach (MeasureInfo measure in measures.Where(m => m.IsHeadline))
        {
            page.Append(CultureInfo.InvariantCulture, $"<h3>{Markup.Text(Markup.Capital(measure.Title))}, {Markup.Text(measure.Unit)}<small>{(measure.IsHigherBetter ? "more" : "less")} is better</small></h3>\n");
            page.Append(BarChart.Draw(report, workload, measure));
        }
        page.Append(LineChart.Draw(report, workload));
        page.Append(ProfileTable.Draw(report, workload, file));
        // A column of zeroes takes the room of one that says something.
        MeasureInfo[] others = [.. measures.Where(m => !m.IsHeadline && (!m.IsFault || report.Summaries.Any(s => s.Workload == workload.Id && s.Measure == m.Name && s.Value.High > 0)))];
        if (others.Length > 0)
        {
            page.Append("<details open=\"\"><summary>Further figures, medians</summary><div class=\"wide\"><table>\n<tr><th></th>");
            foreach (MeasureInfo measure in others) page.Append(CultureInfo.InvariantCulture, $"<th title=\"{Markup.Text($"{measure.Title}, {measure.Unit}")}\">{Markup.Text(measure.Column)}</th>");
            page.Append("</tr>\n");
            foreach (ContenderFacts contender in report.Contenders)
            {
                page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Markup.Text(contender.Name)}</td>");
                foreach (MeasureInfo measure in others)
                {
                    Summary? summary = report.Summaries.FirstOrDefault(s => s.Workload == workload.Id && s.Contender == contender.Name && s.Measure == measure.Name);
                    page.Append(CultureInfo.InvariantCulture, $"<td>{(summary is null ? "–" : Markup.Number(summary.Value.Median, measure.Digits))}</td>");
                }
                page.Append("</tr>\n");
            }
            page.Append("</table></div></details>\n");
        }
        page.Append("</section>\n");
    }

    private static void AppendDrops(StringBuilder page, LabReport report)
    {
        DropTotal[] drops = [.. report.Drops];
        if (drops.Length == 0) return;
        page.Append("<section>\n<h2>Dropped, all rounds</h2>\n<div class=\"wide\"><table>\n<tr><th>workload</th><th class=\"text\">contender</th><th class=\"text\">reason</th><th>packets</th></tr>\n");
        foreach ((string workload, string contender, string reason, long count) in drops)
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Markup.Text(workload)}</td><td class=\"text\">{Markup.Text(contender)}</td><td class=\"text\">{Markup.Text(reason)}</td><td>{Markup.Number(count, 0)}</td></tr>\n");
        page.Append("</table></div>\n</section>\n");
    }

    private static void AppendFacts(StringBuilder page, LabReport report)
    {
        page.Append("<section>\n<h2>Measured on</h2>\n<dl>\n");
        Add("date", report.Date.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        Add("processor", $"{Markup.Number(report.Machine.Cores, 0)} × {report.Machine.Processor}, {report.Machine.Architecture}");
        Add("memory", $"{Markup.Number(report.Machine.MemoryMib, 0)} MiB");
        Add("kernel", $"Linux {report.Machine.Kernel}");
        Add("congestion control", $"{string.Join(", ", report.Measurements.Select(m => m.Congestion).OfType<string>().Distinct().DefaultIfEmpty("no TCP measured"))}; the machine's default is {report.Machine.DefaultCongestion}");
        if (report.CoreCopy is { } copy) Add("core-to-core copy", FormattableString.Invariant($"{copy.Median} GB/s, {copy.Slowest} to {copy.Fastest}"));
        Add("load before", Markup.Number(report.Machine.LoadBefore, 2));
        Add("program", $"flannelfast {report.Program.Version}, revision {report.Program.Revision ?? "unknown"}, {report.Program.Path}");
        if (report.Relay is { } relay)
        {
            Add("relay of the underlay", FormattableString.Invariant($"round trip {relay.RoundTripMs} ms, at most {relay.Gbps} Gb/s and {relay.Kpps} kpps"));
            if (relay.Frames is { } frames) Add("frames through it", FormattableString.Invariant($"{frames.Forwarded:N0} forwarded, {frames.Lost:N0} lost, {frames.Reordered:N0} reordered, {frames.Duplicated:N0} repeated; {frames.Overflowed:N0} it had no room for"));
        }
        foreach (ContenderFacts contender in report.Contenders)
        {
            string detail = contender.Command ?? contender.Binary ?? "";
            Add(contender.Name, $"{(detail.Length > 0 ? detail + "; " : "")}{Markup.Number(contender.ValidatedBytes / 1048576.0, 0)} MiB arrived intact before anything was timed");
        }
        page.Append("</dl>\n</section>\n");

        void Add(string term, string text) => page.Append(CultureInfo.InvariantCulture, $"<dt>{Markup.Text(term)}</dt><dd>{Markup.Text(text)}</dd>\n");
    }

    private static string Setup(LabReport report)
    {
        ScenarioFacts s = report.Scenario;
        int rounds = report.Measurements.Max(m => (int?)m.Round) ?? 0;
        return $"{s.Describe()}; up to {Markup.Number(rounds, 0)} interleaved rounds in {Markup.Number(report.DurationSeconds, 0)} s; baseline {s.Baseline ?? "none"}";
    }
}
