using FlannelFast.Lab.Reports;

namespace FlannelFast.Lab.Rendering;

/// <summary>x</summary>
internal static class HtmlReport
{
    internal static string Create(LabReport report) => report.ToJson();
}
