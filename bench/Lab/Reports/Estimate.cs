namespace FlannelFast.Lab.Reports;

/// <summary>A median and where it lies with 95 % confidence.</summary>
internal sealed record Estimate(double Median, double Low, double High)
{
    /// <summary>Whether both ends are known and within <paramref name="percent"/> of the median.</summary>
    internal bool IsWithin(double percent) =>
        double.IsFinite(Low) && double.IsFinite(High) && Math.Max(High - Median, Median - Low) <= Math.Abs(Median) * percent / 100;
}
