using System.Globalization;
using System.Text;
using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Rendering;

/// <summary>
/// One quantity of one workload: a bar per contender up to its median, the interval of the median across its end, under it a dot for every
/// round, and a dashed line where the baseline is. Positions are percentages, so that a telephone gets the same letters in a narrower plot.
/// </summary>
internal static class BarChart
{
    private const double Height = 38, Middle = 12, BarHeight = 16, DotLine = 29, DotRadius = 2.7;
    private const int Lines = 4;

    /// <summary>Draws it.</summary>
    /// <param name="report">The run.</param>
    /// <param name="workload">The workload.</param>
    /// <param name="measure">The quantity.</param>
    internal static string Draw(LabReport report, WorkloadFacts workload, MeasureInfo measure)
    {
        (Summary Summary, double[] Rounds)[] rows =
        [
            .. from contender in report.Contenders
               from summary in report.Summaries
               where summary.Workload == workload.Id && summary.Contender == contender.Name && summary.Measure == measure.Name
               select (summary, Summarizer.Values(report.Measurements, workload.Id, contender.Name, measure.Name).Values.ToArray()),
        ];
        double end = Scale(rows.Max(r => (double?)Math.Max(r.Summary.Value.Median, Percentile(r.Rounds))) ?? 0);
        double? baseline = rows.FirstOrDefault(r => r.Summary.Contender == report.Scenario.Baseline).Summary?.Value.Median;
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<div class=\"chart\" role=\"group\" aria-label=\"{Markup.Text($"{workload.Title}: {measure.Title}")}\">\n");
        foreach ((Summary summary, double[] rounds) in rows) AppendRow(html, summary, rounds, end, measure, report.Scenario.Baseline, baseline);
        AppendAxis(html, end, measure);
        return html.Append("</div>\n").ToString();
    }

    private static void AppendRow(StringBuilder html, Summary summary, double[] rounds, double end, MeasureInfo measure, string? baseline, double? reference)
    {
        Estimate value = summary.Value;
        string tip = Markup.Text(Tip(summary, measure, baseline));
        html.Append(CultureInfo.InvariantCulture, $"<div class=\"row\" title=\"{tip}\"><div class=\"name\">{Markup.Text(summary.Contender)}</div>");
        html.Append(CultureInfo.InvariantCulture, $"<svg height=\"{Markup.At(Height)}\" role=\"img\" aria-label=\"{tip}\"><title>{tip}</title>");
        for (int i = 0; i <= Lines; i++) html.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{100 * i / Lines}%\" x2=\"{100 * i / Lines}%\" y1=\"0\" y2=\"100%\"/>");
        // The baseline is hatched as well as grey: a page is printed without colours, too.
        bool isBaseline = summary.Contender == baseline;
        string box = $"x=\"0\" y=\"{Markup.At(Middle - (BarHeight / 2))}\" width=\"{X(value.Median, end)}\" height=\"{Markup.At(BarHeight)}\" rx=\"2\"";
        html.Append(isBaseline ? $"<rect {box} fill=\"url(#hatch)\"/><rect class=\"outline\" {box}/>" : $"<rect class=\"bar\" {box}/>");
        if (reference is { } line) html.Append(CultureInfo.InvariantCulture, $"<line class=\"reference\" x1=\"{X(line, end)}\" x2=\"{X(line, end)}\" y1=\"0\" y2=\"100%\"/>");
        (string low, string high) = (X(value.Low, end), X(value.High, end));
        html.Append(CultureInfo.InvariantCulture, $"<g class=\"interval\"><line x1=\"{low}\" x2=\"{high}\" y1=\"{Markup.At(Middle)}\" y2=\"{Markup.At(Middle)}\"/>");
        foreach (string x in new[] { low, high }) html.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x}\" x2=\"{x}\" y1=\"{Markup.At(Middle - 5)}\" y2=\"{Markup.At(Middle + 5)}\"/>");
        html.Append("</g>");
        foreach (double round in rounds)
            html.Append(CultureInfo.InvariantCulture, $"<circle class=\"dot\" cx=\"{X(round, end)}\" cy=\"{Markup.At(DotLine)}\" r=\"{Markup.At(DotRadius)}\"><title>{Markup.Number(round, measure.Digits)} {Markup.Text(measure.Unit)}</title></circle>");
        html.Append(CultureInfo.InvariantCulture, $"</svg><div class=\"value\"><b>{Markup.Number(value.Median, measure.Digits)}</b>");
        if (summary.Ratio is { } ratio)
            html.Append(CultureInfo.InvariantCulture, $" × {Markup.Number(ratio.Median, 2)}<br/><small>{Markup.Number(ratio.Low, 2)} to {Markup.Number(ratio.High, 2)}</small>");
        else if (isBaseline)
            html.Append("<br/><small>baseline</small>");
        html.Append("</div></div>\n");
    }

    private static void AppendAxis(StringBuilder html, double end, MeasureInfo measure)
    {
        html.Append("<div class=\"row axis\"><div class=\"name\"></div><svg height=\"16\" aria-hidden=\"true\">");
        for (int i = 0; i <= Lines; i++)
        {
            string anchor = i == 0 ? "start" : i == Lines ? "end" : "middle";
            string label = Markup.Tick(end * i / Lines) + (i == Lines ? $" {measure.Unit}" : "");
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" x=\"{100 * i / Lines}%\" y=\"12\" text-anchor=\"{anchor}\">{Markup.Text(label)}</text>");
        }
        html.Append("</svg><div class=\"value\"></div></div>\n");
    }

    private static string Tip(Summary summary, MeasureInfo measure, string? baseline)
    {
        string Number(double value) => Markup.Number(value, measure.Digits);
        string text = $"{summary.Contender}: {Number(summary.Value.Median)} {measure.Unit}, from {Number(summary.Value.Low)} to {Number(summary.Value.High)}, {Markup.Number(summary.Rounds, 0)} rounds";
        return summary.Ratio is { } ratio ? $"{text}; {Markup.Number(ratio.Median, 3)} times {baseline}, from {Markup.Number(ratio.Low, 3)} to {Markup.Number(ratio.High, 3)}" : text;
    }

    // What lies beyond the scale is drawn at its end: one round of 25 ms must not press all bars of 50 µs into nothing.
    private static string X(double value, double end) => $"{(Math.Clamp(value / end, 0, 1) * 100).ToString("0.##", CultureInfo.InvariantCulture)}%";

    private static double Percentile(double[] values)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        return sorted[(sorted.Length - 1) * 3 / 4];
    }

    /// <summary>The next number of which a quarter is a round one, too.</summary>
    internal static double Scale(double largest)
    {
        if (!(largest > 0)) return 1;
        double power = Math.Pow(10, Math.Floor(Math.Log10(largest)));
        return new[] { 1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10 }.First(step => step * power >= largest * 0.9999) * power;
    }
}
