using System.Globalization;
using System.Text;
using FlannelFast.Lab.Profiling;

namespace FlannelFast.Lab.Rendering;

/// <summary>
/// A profile as one SVG file without any reference to the outside: callers above what they call, widths by samples. A browser shows name and share of what the pointer
/// is on and zooms by a click; as an image in a page, or where scripts are off, it is a picture with tooltips.
/// </summary>
internal static class FlameGraph
{
    // 1,100 boxes with their names are some 200 kB.
    private const int MostBoxes = 1100;
    private const double LeastShare = 0.0005;

    private const double Width = 1200, Margin = 12, Inner = Width - (2 * Margin), Top = 74, Row = 17, BoxHeight = 16;

    // Of the letters in flamegraph.css, which are all equally wide; flamegraph.js fits them again after a zoom.
    private const double LetterWidth = 6.65, LetterMargin = 8;

    private static readonly (FrameKind Kind, string Class, string Meaning)[] s_kinds =
    [
        (FrameKind.Own, "own", "FlannelFast"), (FrameKind.Kernel, "kernel", "kernel"), (FrameKind.Library, "library", "libraries, other programs"),
        (FrameKind.Idle, "idle", "idle"), (FrameKind.Thread, "thread", "thread"),
    ];

    /// <summary>Draws it.</summary>
    /// <param name="root">The profile, with at least one sample.</param>
    /// <param name="title">What is profiled.</param>
    internal static string Draw(CallNode root, string title)
    {
        IReadOnlyList<FlameBox> boxes = FlameLayout.Arrange(root, MostBoxes, LeastShare);
        string height = Markup.At(Top + (Row * (1 + boxes.Max(b => b.Depth))) + Margin);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Markup.At(Width)} {height}\" width=\"{Markup.At(Width)}\" height=\"{height}\" role=\"img\" aria-label=\"{Markup.Text(title)}\">\n");
        svg.Append(CultureInfo.InvariantCulture, $"<style>\n{Resources.Text("palette.css")}{Resources.Text("flamegraph.css")}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"title\" x=\"{Markup.At(Margin)}\" y=\"27\">{Markup.Text(title)}</text>\n");
        svg.Append(CultureInfo.InvariantCulture, $"<text class=\"soft\" id=\"details\" x=\"{Markup.At(Margin)}\" y=\"47\">{Markup.Number(root.Total, 0)} samples of the whole machine; callers above what they call, the width is the time</text>\n");
        AppendKey(svg);
        // An input of HTML, because SVG has none; the script shows it.
        svg.Append(CultureInfo.InvariantCulture, $"<foreignObject id=\"tools\" x=\"{Markup.At(Width - Margin - 330)}\" y=\"10\" width=\"330\" height=\"28\" visibility=\"hidden\"><div xmlns=\"http://www.w3.org/1999/xhtml\"><span id=\"found\"></span><input id=\"search\" type=\"search\" placeholder=\"search\" aria-label=\"search\"/></div></foreignObject>\n");
        svg.Append("<g id=\"boxes\">\n");
        foreach (FlameBox box in boxes) AppendBox(svg, box, root.Total);
        return svg.Append(CultureInfo.InvariantCulture, $"</g>\n<script><![CDATA[\n{Resources.Text("flamegraph.js")}]]></script>\n</svg>\n").ToString();
    }

    /// <summary>The class by which a kind of frame has its colour, here and in reports.</summary>
    internal static string Class(FrameKind kind) => s_kinds.First(k => k.Kind == kind).Class;

    /// <summary>What a kind of frame is called.</summary>
    internal static string Meaning(FrameKind kind) => s_kinds.First(k => k.Kind == kind).Meaning;

    private static void AppendKey(StringBuilder svg)
    {
        double x = Margin;
        foreach ((_, string colour, string meaning) in s_kinds)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{colour}\" x=\"{Markup.At(x)}\" y=\"57\" width=\"10\" height=\"10\" rx=\"2\"/><text class=\"soft\" x=\"{Markup.At(x + 15)}\" y=\"66\">{meaning}</text>\n");
            x += 34 + (meaning.Length * LetterWidth);
        }
    }

    private static void AppendBox(StringBuilder svg, FlameBox box, long all)
    {
        double x = Margin + (Inner * box.Left / all), width = Inner * box.Samples / all, y = Top + (Row * box.Depth);
        string name = Markup.Text(box.Frame.Name);
        // Three decimals: a box of half a unit is 1,176 wide after a click.
        svg.Append(CultureInfo.InvariantCulture, $"<g><title>{name}: {100.0 * box.Samples / all:0.00} %, {box.Samples} samples</title><rect class=\"{Class(box.Frame.Kind)}\" x=\"{x:0.###}\" y=\"{Markup.At(y)}\" width=\"{width:0.###}\" height=\"{Markup.At(BoxHeight)}\"/>");
        int letters = (int)((width - LetterMargin) / LetterWidth);
        if (letters >= 3)
        {
            string label = box.Frame.Name.Length <= letters ? name : Markup.Text(box.Frame.Name[..(letters - 1)]) + "…";
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x + (LetterMargin / 2):0.#}\" y=\"{Markup.At(y + 12)}\">{label}</text>");
        }
        svg.Append("</g>\n");
    }
}
