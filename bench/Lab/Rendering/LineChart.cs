using System.Globalization;
using System.Text;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Rendering;

/// <summary>How a quantity goes with another one: a curve per contender, medians where several rounds have the same places.</summary>
internal static class LineChart
{
    /// <summary>Draws all series of a workload; nothing if it has none.</summary>
    internal static string Draw(LabReport report, WorkloadFacts workload)
    {
        var html = new StringBuilder();
        Measurement[] measurements = [.. report.Measurements.Where(m => m.Workload == workload.Id && m.Series.Count > 0)];
        foreach (Series kind in measurements.SelectMany(m => m.Series).DistinctBy(s => s.Title))
        {
            (string Contender, Series Series)[] curves =
            [
                .. from contender in report.Contenders
                   let own = measurements.Where(m => m.Contender == contender.Name).SelectMany(m => m.Series).Where(s => s.Title == kind.Title).ToArray()
                   where own.Length > 0
                   select (contender.Name, Middle(own)),
            ];
            Append(html, kind, curves);
        }
        return html.ToString();
    }

    private static void Append(StringBuilder html, Series kind, (string Contender, Series Series)[] curves)
    {
        double top = BarChart.Scale(curves.Max(c => c.Series.Y.Max())), from = curves.Min(c => c.Series.X[0]), to = curves.Max(c => c.Series.X[^1]);
        // Numbers of peers are powers of ten; seconds are not.
        bool logarithmic = from >= 1 && to / from >= 100 && curves.Max(c => c.Series.X.Count) < 20;
        html.Append(CultureInfo.InvariantCulture, $"<h3>{Markup.Text(Markup.Capital(kind.Title))}, {Markup.Text(kind.Unit)}<small>along {Markup.Text(kind.Along)}</small></h3>\n<div class=\"keys\">");
        for (int i = 0; i < curves.Length; i++)
            html.Append(CultureInfo.InvariantCulture, $"<span><svg aria-hidden=\"true\"><line class=\"key{i % 4}\" x1=\"0\" x2=\"34\" y1=\"5\" y2=\"5\"/></svg>{Markup.Text(curves[i].Contender)}</span>");
        html.Append("</div>\n<div class=\"lines\"><div class=\"scale\">");
        const int Lines = 4;
        for (int i = Lines; i >= 0; i--) html.Append(CultureInfo.InvariantCulture, $"<span>{Markup.Tick(top * i / Lines)}</span>");
        html.Append(CultureInfo.InvariantCulture, $"</div><svg viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{Markup.Text(kind.Title)}\">");
        for (int i = 0; i <= Lines; i++) html.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" vector-effect=\"non-scaling-stroke\" x1=\"0\" x2=\"1000\" y1=\"{100 * i / Lines}\" y2=\"{100 * i / Lines}\"/>");
        for (int i = 0; i < curves.Length; i++)
        {
            Series series = curves[i].Series;
            string points = string.Join(' ', series.X.Zip(series.Y).Select(p => $"{Markup.At(1000 * Place(p.First))},{(100 * (1 - (p.Second / top))).ToString("0.##", CultureInfo.InvariantCulture)}"));
            string tip = $"{curves[i].Contender}: {Markup.Number(series.Y[0], 2)} to {Markup.Number(series.Y[^1], 2)} {kind.Unit}, least {Markup.Number(series.Y.Min(), 2)}, most {Markup.Number(series.Y.Max(), 2)}";
            html.Append(CultureInfo.InvariantCulture, $"<polyline class=\"curve curve{i % 4}\" vector-effect=\"non-scaling-stroke\" points=\"{points}\"><title>{Markup.Text(tip)}</title></polyline>");
        }
        html.Append("</svg><div class=\"along\">");
        foreach (double value in logarithmic ? curves[0].Series.X : [from, (from + to) / 2, to])
            html.Append(CultureInfo.InvariantCulture, $"<span>{Markup.Number(value, value < 10 && value != Math.Floor(value) ? 1 : 0)}</span>");
        html.Append("</div></div>\n");

        double Place(double x) => from == to ? 0.5 : logarithmic ? Math.Log(x / from) / Math.Log(to / from) : (x - from) / (to - from);
    }

    private static Series Middle(Series[] rounds) => rounds.All(r => r.X.SequenceEqual(rounds[0].X))
        ? rounds[0] with { Y = [.. Enumerable.Range(0, rounds[0].X.Count).Select(i => Sample.Median(rounds.Select(r => r.Y[i]).ToArray()))] }
        : rounds[0];
}
