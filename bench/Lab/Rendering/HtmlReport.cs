using System.Globalization;
using System.Text;
using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Rendering;

/// <summary>A run as one page without any reference to the outside: it can be mailed and opened years later.</summary>
internal static class HtmlReport
{
    private const string Style = """
        :root { color-scheme: light dark; --bg: #fbfbf9; --card: #fff; --ink: #1d2327; --soft: #69737b; --line: #e3e5e4; --bar: #2f7d78; --base: #9aa5ad; --dot: #c8612c; }
        @media (prefers-color-scheme: dark) { :root { --bg: #14181b; --card: #1c2226; --ink: #e6e9ea; --soft: #93a0a8; --line: #31393e; --bar: #4db3ab; --base: #65727b; --dot: #f0935f; } }
        * { box-sizing: border-box; }
        body { margin: 0; padding: 2rem 1rem 4rem; background: var(--bg); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 860px; margin: 0 auto; }
        h1 { font-size: 1.6rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 0 0 .6rem; } h3 { font-size: .9rem; font-weight: 500; color: var(--soft); margin: 1rem 0 .2rem; }
        p { margin: .3rem 0; } .soft { color: var(--soft); }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.2rem; margin: 1.2rem 0; }
        svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
        svg .name { text-anchor: end; } svg .tick { text-anchor: middle; fill: var(--soft); font-size: 10.5px; } svg .value { font-weight: 600; font-variant-numeric: tabular-nums; }
        svg .ratio { fill: var(--soft); font-weight: 400; } svg .tiny { fill: var(--soft); font-size: 10px; } svg .grid { stroke: var(--line); }
        svg .bar { fill: var(--bar); } svg .base { fill: var(--base); } svg .interval { stroke: var(--ink); stroke-width: 1.4; fill: none; } svg .dot { fill: var(--dot); fill-opacity: .75; }
        .wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; } th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: 0; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
        .failed { border-color: var(--dot); }
        """;

    /// <summary>Makes the page.</summary>
    internal static string Create(LabReport report)
    {
        var page = new StringBuilder();
        string title = $"flannelfast lab: {report.Scenario.Name}";
        page.Append(CultureInfo.InvariantCulture, $"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{Markup.Text(title)}</title>\n<style>\n{Style}\n</style>\n</head>\n<body>\n<main>\n");
        page.Append(CultureInfo.InvariantCulture, $"<h1>{Markup.Text(title)}</h1>\n<p class=\"soft\">{Markup.Text(Setup(report))}</p>\n");
        page.Append("<p class=\"soft\">Bars: medians. Whiskers: 95 % interval of the median. Dots: single rounds, those beyond the scale at its end. ×: ratio to the baseline within rounds, with its 95 % interval. Below six rounds an interval is the whole range.</p>\n");
        if (report.Interrupted) page.Append("<section class=\"failed\">Interrupted: only the rounds finished until then are here.</section>\n");
        foreach (FailedMeasurement failure in report.Failures)
            page.Append(CultureInfo.InvariantCulture, $"<section class=\"failed\">{Markup.Text($"{failure.Workload} on {failure.Contender} failed in round {failure.Round}: {failure.Message}")}</section>\n");
        foreach (WorkloadFacts workload in report.Workloads) AppendWorkload(page, report, workload);
        AppendDrops(page, report);
        AppendFacts(page, report);
        return page.Append("</main>\n</body>\n</html>\n").ToString();
    }

    private static void AppendWorkload(StringBuilder page, LabReport report, WorkloadFacts workload)
    {
        MeasureInfo[] measures = [.. MeasureInfo.All.Where(m => report.Summaries.Any(s => s.Workload == workload.Id && s.Measure == m.Name))];
        if (measures.Length == 0) return;
        page.Append(CultureInfo.InvariantCulture, $"<section id=\"{Markup.Text(workload.Id)}\">\n<h2>{Markup.Text(workload.Title)}</h2>\n");
        foreach (MeasureInfo measure in measures.Where(m => m.IsHeadline))
        {
            page.Append(CultureInfo.InvariantCulture, $"<h3>{Markup.Text(measure.Title)}, {Markup.Text(measure.Unit)} ({(measure.IsHigherBetter ? "higher" : "lower")} is better)</h3>\n");
            page.Append(BarChart.Draw(report, workload, measure));
        }
        MeasureInfo[] others = [.. measures.Where(m => !m.IsHeadline)];
        if (others.Length > 0)
        {
            page.Append("<div class=\"wide\"><table>\n<tr><th></th>");
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
            page.Append("</table></div>\n");
        }
        page.Append("</section>\n");
    }

    private static void AppendDrops(StringBuilder page, LabReport report)
    {
        var drops = (from m in report.Measurements
                     from d in m.Drops
                     group d.Value by (m.Workload, m.Contender, d.Key) into g
                     select (g.Key.Workload, g.Key.Contender, Reason: g.Key.Key, Count: g.Sum())).ToList();
        if (drops.Count == 0) return;
        page.Append("<section>\n<h2>Dropped by the daemons, all rounds</h2>\n<div class=\"wide\"><table>\n<tr><th>workload</th><th>contender</th><th>reason</th><th>packets</th></tr>\n");
        foreach ((string workload, string contender, string reason, long count) in drops)
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Markup.Text(workload)}</td><td>{Markup.Text(contender)}</td><td>{Markup.Text(reason)}</td><td>{Markup.Number(count, 0)}</td></tr>\n");
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
        Add("load before", Markup.Number(report.Machine.LoadBefore, 2));
        Add("program", $"flannelfast {report.Program.Version}, revision {report.Program.Revision ?? "unknown"}, {report.Program.Path}");
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
        int rounds = report.Measurements.Select(m => m.Round).DefaultIfEmpty().Max();
        string loss = s.LossPercent > 0 ? $", loss {Markup.Number(s.LossPercent, 3)} %" : "";
        return $"{s.Topology}, {s.Underlay}, MTU {Markup.Number(s.Mtu, 0)}{loss}; up to {Markup.Number(rounds, 0)} interleaved rounds in {Markup.Number(report.DurationSeconds, 0)} s; baseline {s.Baseline ?? "none"}";
    }
}
