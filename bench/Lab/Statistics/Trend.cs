namespace FlannelFast.Lab.Statistics;

/// <summary>Whether a quantity moves in the course of one long measurement.</summary>
internal static class Trend
{
    // All pairs of that many points are still drawn in no time; of more, as many evenly spaced ones.
    private const int MostPoints = 2000;

    /// <summary>
    /// How much a straight line through the points changes from the first to the last, as a share of their median. The line's slope is the
    /// median of the slopes of all pairs (Theil and Sen), so that a few disturbed intervals do not tilt it.
    /// </summary>
    /// <param name="x">Ascending.</param>
    /// <param name="y">As many, with a median above zero.</param>
    internal static double Drift(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length || x.Length < 2) throw new ArgumentException($"{x.Length} and {y.Length} values are no line", nameof(y));
        int step = (x.Length + MostPoints - 1) / MostPoints;
        var slopes = new List<double>();
        for (int i = 0; i < x.Length; i += step)
        {
            for (int j = i + step; j < x.Length; j += step) slopes.Add((y[j] - y[i]) / (x[j] - x[i]));
        }
        double median = Sample.Median(y);
        if (!(median > 0)) throw new ArgumentException($"there is no share of {median}", nameof(y));
        return Sample.Median(slopes.ToArray()) * (x[^1] - x[0]) / median;
    }

    /// <summary>
    /// Leaves out what lies before the traffic began and after it ended: leading and trailing zeroes, and the one interval next to
    /// them, of which the traffic filled only a part.
    /// </summary>
    internal static double[] WithoutEnds(double[] rates)
    {
        int first = Array.FindIndex(rates, r => r > 0), last = Array.FindLastIndex(rates, r => r > 0);
        return last - first < 2 ? [] : rates[(first + 1)..last];
    }
}
