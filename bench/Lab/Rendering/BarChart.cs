using System.Globalization;
using System.Text;
using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Rendering;

/// <summary>
/// One quantity of one workload as SVG: a bar per contender up to its median, the 95 % interval across its end, and under it
/// a dot for every round.
/// </summary>
internal static class BarChart
{
    private const double Width = 760, Left = 150, Right = 190, RowHeight = 44, Top = 8;
    private const double BarHeight = 16, DotRadius = 2.6;

    /// <summary>Draws it.</summary>
    /// <param name="report">The run.</param>
    /// <param name="workload">The workload.</param>
    /// <param name="measure">The quantity.</param>
    internal static string Draw(LabReport report, WorkloadFacts workload, MeasureInfo measure)
    {
        (ContenderFacts Contender, Summary Summary, double[] Rounds)[] rows =
        [
            .. from contender in report.Contenders
               from summary in report.Summaries
               where summary.Workload == workload.Id && summary.Contender == contender.Name && summary.Measure == measure.Name
               select (contender, summary, Summarizer.Values(report.Measurements, workload.Id, contender.Name, measure.Name).Values.ToArray()),
        ];
        double end = Scale(rows.Select(r => Math.Max(r.Summary.Value.Median, Percentile(r.Rounds))).DefaultIfEmpty().Max());
        double height = Top + (rows.Length * RowHeight) + 22;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Markup.At(Width)} {Markup.At(height)}\" role=\"img\" aria-label=\"{Markup.Text($"{workload.Title}: {measure.Title}")}\">\n");
        DrawGrid(svg, end, height - 22, measure);
        for (int i = 0; i < rows.Length; i++) DrawRow(svg, rows[i].Contender, rows[i].Summary, rows[i].Rounds, Top + (i * RowHeight), end, measure, report.Scenario.Baseline);
        return svg.Append("</svg>\n").ToString();
    }

    private static void DrawGrid(StringBuilder svg, double end, double bottom, MeasureInfo measure)
    {
        const int Lines = 4;
        for (int i = 0; i <= Lines; i++)
        {
            double value = end * i / Lines, x = X(value, end);
            string label = i == Lines ? $"{Markup.Number(value, Digits(end))} {measure.Unit}" : Markup.Number(value, Digits(end));
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Markup.At(x)}\" x2=\"{Markup.At(x)}\" y1=\"{Markup.At(Top)}\" y2=\"{Markup.At(bottom)}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"tick\" x=\"{Markup.At(x)}\" y=\"{Markup.At(bottom + 15)}\">{Markup.Text(label)}</text>\n");
        }
    }

    private static void DrawRow(
        StringBuilder svg, ContenderFacts contender, Summary summary, double[] rounds, double top, double end, MeasureInfo measure, string? baseline)
    {
        double middle = top + 6 + (BarHeight / 2);
        Estimate value = summary.Value;
        string kind = contender.Name == baseline ? "bar base" : "bar";
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"name\" x=\"{Markup.At(Left - 10)}\" y=\"{Markup.At(middle + 4)}\">{Markup.Text(Shorten(contender.Name))}<title>{Markup.Text(contender.Name)}</title></text>");
        svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{kind}\" x=\"{Markup.At(Left)}\" y=\"{Markup.At(middle - (BarHeight / 2))}\" width=\"{Markup.At(X(value.Median, end) - Left)}\" height=\"{Markup.At(BarHeight)}\" rx=\"3\"/>");
        svg.Append(CultureInfo.InvariantCulture, $"<path class=\"interval\" d=\"M{Markup.At(X(value.Low, end))} {Markup.At(middle - 5)}v10m0 -5H{Markup.At(X(value.High, end))}m0 -5v10\"/>");
        foreach (double round in rounds)
            svg.Append(CultureInfo.InvariantCulture, $"<circle class=\"dot\" cx=\"{Markup.At(X(round, end))}\" cy=\"{Markup.At(middle + 15)}\" r=\"{DotRadius}\"><title>{Markup.Number(round, measure.Digits)}</title></circle>");
        string ratio = summary.Ratio is { } r ? $"  ×{Markup.Number(r.Median, 2)}" : "";
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"value\" x=\"{Markup.At(Width - Right + 14)}\" y=\"{Markup.At(middle + 4)}\">{Markup.Number(value.Median, measure.Digits)}<tspan class=\"ratio\">{Markup.Text(ratio)}</tspan></text>");
        if (summary.Ratio is { } interval)
            svg.Append(CultureInfo.InvariantCulture, $"<text class=\"tiny\" x=\"{Markup.At(Width - Right + 14)}\" y=\"{Markup.At(middle + 18)}\">{Markup.Number(interval.Low, 2)} to {Markup.Number(interval.High, 2)} × {Markup.Text(Shorten(baseline ?? ""))}</text>");
        svg.Append('\n');
    }

    // What lies beyond the scale is drawn at its end: one round of 25 ms must not press all bars of 50 µs into nothing.
    private static double X(double value, double end) => Left + (Math.Clamp(value / end, 0, 1) * (Width - Left - Right));

    private static double Percentile(double[] values) => values.Order().ElementAt((values.Length - 1) * 3 / 4);

    // The next of 1, 2, 2.5, 5 and 10 times a power of ten, so that the grid has round numbers.
    private static double Scale(double largest)
    {
        if (largest <= 0) return 1;
        double power = Math.Pow(10, Math.Floor(Math.Log10(largest)));
        return new[] { 1, 2, 2.5, 5, 10 }.First(step => step * power >= largest * 0.9999) * power;
    }

    private static int Digits(double end) => end switch
    {
        >= 40 => 0,
        >= 4 => 1,
        _ => 3,
    };

    private static string Shorten(string name) => name.Length <= 22 ? name : name[..21] + "…";
}
