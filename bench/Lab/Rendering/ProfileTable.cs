using System.Globalization;
using System.Text;
using FlannelFast.Lab.Profiling;
using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Rendering;

/// <summary>Where the time of one workload went: a bar per contender, cut by whose code ran, and a link to its flame graph.</summary>
internal static class ProfileTable
{
    /// <summary>Draws it; nothing without profiles.</summary>
    /// <param name="report">The run.</param>
    /// <param name="workload">The workload.</param>
    /// <param name="file">Where the page will be, or null.</param>
    internal static string Draw(LabReport report, WorkloadFacts workload, string? file)
    {
        ProfileFacts[] profiles = [.. report.Profiles.Where(p => p.Workload == workload.Id)];
        if (profiles.Length == 0) return "";
        var html = new StringBuilder("<h3>Where the time goes<small>percent of the whole machine, in a round of its own</small></h3>\n<div class=\"keys\">");
        foreach (FrameKind kind in (FrameKind[])[FrameKind.Own, FrameKind.Kernel, FrameKind.Library, FrameKind.Idle])
            html.Append(CultureInfo.InvariantCulture, $"<span><svg aria-hidden=\"true\"><rect class=\"{FlameGraph.Class(kind)}\" width=\"34\" height=\"10\" rx=\"2\"/></svg>{FlameGraph.Meaning(kind)}</span>");
        html.Append("</div>\n<div class=\"chart\">\n");
        foreach (ProfileFacts profile in profiles) AppendRow(html, profile, file);
        html.Append("</div>\n<div class=\"wide\"><table>\n<tr><th></th><th class=\"text\">threads (of that in the kernel)</th><th class=\"text\">system calls of the daemons</th></tr>\n");
        foreach (ProfileFacts profile in profiles)
        {
            string threads = string.Join(", ", profile.Threads.Select(t => $"{t.Name} {Percent(t.Percent)} ({Percent(t.KernelPercent)})"));
            string calls = string.Join(", ", profile.SystemCalls.Select(c => $"{c.Name} {Percent(c.Percent)}"));
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{Markup.Text(profile.Contender)}</td><td class=\"words\">{Markup.Text(threads)}</td><td class=\"words\">{Markup.Text(calls.Length > 0 ? calls : "–")}</td></tr>\n");
        }
        return html.Append("</table></div>\n").ToString();
    }

    private static void AppendRow(StringBuilder html, ProfileFacts profile, string? file)
    {
        (FrameKind Kind, double Percent)[] parts =
        [
            (FrameKind.Own, profile.OwnPercent), (FrameKind.Kernel, profile.KernelPercent), (FrameKind.Library, profile.LibraryPercent), (FrameKind.Idle, profile.IdlePercent),
        ];
        string tip = Markup.Text($"{profile.Contender}: {string.Join(", ", parts.Select(p => $"{FlameGraph.Meaning(p.Kind)} {Percent(p.Percent)} %"))}");
        html.Append(CultureInfo.InvariantCulture, $"<div class=\"row\" title=\"{tip}\"><div class=\"name\">{Markup.Text(profile.Contender)}</div><svg height=\"20\" role=\"img\" aria-label=\"{tip}\">");
        double x = 0;
        foreach ((FrameKind kind, double percent) in parts)
        {
            html.Append(CultureInfo.InvariantCulture, $"<rect class=\"{FlameGraph.Class(kind)}\" x=\"{Percent(x)}%\" y=\"3\" width=\"{Percent(percent)}%\" height=\"16\"/>");
            x += percent;
        }
        html.Append(CultureInfo.InvariantCulture, $"</svg><div class=\"value\"><a href=\"{Markup.Text(Link(profile.FlameGraph, file))}\">flame graph</a></div></div>\n");
    }

    // From the page, so that both can be moved together.
    private static string Link(string flameGraph, string? page)
    {
        string path = Path.GetFullPath(flameGraph);
        if (page is not null) path = Path.GetRelativePath(Path.GetDirectoryName(Path.GetFullPath(page))!, path);
        return string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
    }

    private static string Percent(double percent) => percent.ToString("0.0", CultureInfo.InvariantCulture);
}
