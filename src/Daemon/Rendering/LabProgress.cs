using System.Globalization;
using FlannelFast.Lab.Reports;
using FlannelFast.Lab.Running;

namespace FlannelFast.Daemon.Rendering;

/// <summary>Shows a run of the lab: on a terminal one line that changes, otherwise a line per measurement.</summary>
/// <param name="output">Where.</param>
/// <param name="style">Emphasis.</param>
/// <param name="isLive">True if the line may be overwritten.</param>
/// <param name="scenario">Name of the scenario.</param>
internal sealed class LabProgress(TextWriter output, TerminalStyle style, bool isLive, string scenario) : ILabProgress
{
    // ECMA-48 EL: what stood on the line before may have been longer.
    private const string EraseLine = "\r\e[K";

    private string _last = "";

    public void Notice(string text)
    {
        Clear();
        output.WriteLine(text);
    }

    public void Doing(string text)
    {
        if (isLive) output.Write($"{EraseLine}{style.Faint($"{scenario} · {text}")}{(_last.Length > 0 ? $"   {_last}" : "")}");
    }

    public void Measured(Measurement measurement)
    {
        string values = string.Join("  ", MeasureInfo.All
            .Where(m => m.IsHeadline && measurement.Values.ContainsKey(m.Name))
            .Select(m => $"{measurement.Values[m.Name].ToString($"N{m.Digits}", CultureInfo.InvariantCulture)} {m.Column}"));
        _last = $"{measurement.Contender}: {values}";
        if (!isLive) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"round {measurement.Round}  {measurement.Workload,-18} {measurement.Contender,-16} {values}"));
    }

    public void Failed(FailedMeasurement failure)
    {
        Clear();
        output.WriteLine(style.Warning(string.Create(CultureInfo.InvariantCulture, $"round {failure.Round}  {failure.Workload} on {failure.Contender} failed: {failure.Message}")));
    }

    /// <summary>Removes the changing line.</summary>
    internal void Clear()
    {
        if (isLive) output.Write(EraseLine);
    }
}
