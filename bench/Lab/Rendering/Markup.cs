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

    /// <summary>A number for people.</summary>
    internal static string Number(double value, int digits) => value.ToString($"N{digits}", CultureInfo.InvariantCulture);
}
