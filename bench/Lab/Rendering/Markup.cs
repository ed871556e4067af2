using System.Globalization;
using System.Net;

namespace FlannelFast.Lab.Rendering;

/// <summary>Text and numbers inside HTML and SVG.</summary>
internal static class Markup
{
    /// <summary>Foreign text: names and messages come from command lines and other programs.</summary>
    internal static string Text(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A coordinate.</summary>
    internal static string At(double value) => Math.Round(value, 1).ToString(CultureInfo.InvariantCulture);

    /// <summary>A number at a grid line: as many decimals as it has.</summary>
    internal static string Tick(double value) => value.ToString("#,0.####", CultureInfo.InvariantCulture);

    /// <summary>The beginning of a line.</summary>
    internal static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>A number for people.</summary>
    internal static string Number(double value, int digits) => value.ToString($"N{digits}", CultureInfo.InvariantCulture);
}
