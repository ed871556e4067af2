using System.Globalization;
using System.Text;
using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Rendering;

/// <summary>The whole run on half a screen: every deciding quantity as ratio to the baseline.</summary>
internal static class GlanceTable
{
    /// <summary>Draws it; nothing without a baseline.</summary>
    internal static string Draw(LabReport report)
    {
        if (report.Scenario.Baseline is not { } baseline || report.Summaries.All(s => s.Ratio is null)) return "";
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<section>\n<h2>At a glance</h2>\n<p class=\"soft\">Times {Markup.Text(baseline)}. ▲ better, ▼ worse, with the whole interval on that side; without either the rounds do not tell.</p>\n<div class=\"wide\"><table>\n<tr><th></th>");
        foreach (ContenderFacts contender in report.Contenders) html.Append(CultureInfo.InvariantCulture, $"<th>{Markup.Text(contender.Name)}</th>");
        html.Append("</tr>\n");
        foreach (WorkloadFacts workload in report.Workloads)
        {
            MeasureInfo[] measures = [.. MeasureInfo.All.Where(m => (m.IsHeadline || m.Name is MeasureInfo.MachineCpuPerGb) && Of(report, workload, m).Any(s => s.Ratio is not null))];
            if (measures.Length == 0) continue;
            html.Append(CultureInfo.InvariantCulture, $"<tr class=\"group\"><th colspan=\"{report.Contenders.Count + 1}\"><a href=\"#{Markup.Text(workload.Id)}\">{Markup.Text(workload.Id)}</a></th></tr>\n");
            foreach (MeasureInfo measure in measures)
            {
                html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Markup.Text(measure.Title)}</td>");
                foreach (ContenderFacts contender in report.Contenders)
                    html.Append(Cell(Of(report, workload, measure).FirstOrDefault(s => s.Contender == contender.Name), measure, contender.Name == baseline));
                html.Append("</tr>\n");
            }
        }
        return html.Append("</table></div>\n</section>\n").ToString();
    }

    private static IEnumerable<Summary> Of(LabReport report, WorkloadFacts workload, MeasureInfo measure) =>
        report.Summaries.Where(s => s.Workload == workload.Id && s.Measure == measure.Name);

    private static string Cell(Summary? summary, MeasureInfo measure, bool isBaseline)
    {
        if (summary is null) return "<td>–</td>";
        if (isBaseline) return $"<td>{Markup.Number(summary.Value.Median, measure.Digits)} {Markup.Text(measure.Unit)}</td>";
        if (summary.Ratio is not { } ratio) return "<td>–</td>";
        // Fewer than six rounds have no interval of 95 %.
        bool higher = ratio.Low > 1 && summary.Rounds >= 6, lower = ratio.High < 1 && summary.Rounds >= 6;
        (string style, string sign) = (higher || lower, higher == measure.IsHigherBetter) switch
        {
            (false, _) => ("", ""),
            (true, true) => (" class=\"better\"", "▲ "),
            (true, false) => (" class=\"worse\"", "▼ "),
        };
        string tip = $"{Markup.Number(summary.Value.Median, measure.Digits)} {measure.Unit}; {Markup.Number(ratio.Low, 3)} to {Markup.Number(ratio.High, 3)}";
        return $"<td{style} title=\"{Markup.Text(tip)}\">{sign}{Markup.Number(ratio.Median, 2)}</td>";
    }
}
