namespace FlannelFast.Lab.Statistics;

/// <summary>
/// Robust statistics of one quantity over the rounds of a run. Medians because a round that a neighbour disturbed is an outlier
/// and never an improvement; no assumption about the shape of the distribution is made.
/// </summary>
internal static class Sample
{
    /// <summary>The median; the mean of the middle two of an even number.</summary>
    /// <exception cref="ArgumentException">No value, or one that is no number.</exception>
    internal static double Median(ReadOnlySpan<double> values) => MedianOfSorted(Sorted(values));

    /// <summary>
    /// Median absolute deviation from the median, unscaled. Of a normal distribution it is 0.6745 standard deviations.
    /// </summary>
    internal static double MedianAbsoluteDeviation(ReadOnlySpan<double> values)
    {
        double[] deviations = Sorted(values);
        double median = MedianOfSorted(deviations);
        for (int i = 0; i < deviations.Length; i++) deviations[i] = Math.Abs(deviations[i] - median);
        return Median(deviations);
    }

    /// <summary>
    /// Interval of the median between two order statistics. The number of values below the true median is binomial(n, 1/2) whatever
    /// the distribution, which makes the confidence exact (David and Nagaraja, Order Statistics, 7.1).
    /// </summary>
    /// <param name="values">One value a round.</param>
    /// <param name="confidence">0 to 1.</param>
    /// <returns>The narrowest symmetric interval that has it; the whole range, with the confidence that this has, if none does.</returns>
    internal static Interval MedianInterval(ReadOnlySpan<double> values, double confidence = 0.95)
    {
        if (!(confidence is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "a confidence is between 0 and 1");
        double[] sorted = Sorted(values);
        int n = sorted.Length;
        // P(X <= k) for X binomial(n, 1/2), summed until one more value cut off at each end would cost too much. In logarithms'
        // stead doubles do: 2^-n is exact to n = 1,074, and no run has more rounds.
        if (n > 1000) throw new ArgumentException($"{n} rounds are more than 1000", nameof(values));
        double term = Math.Pow(0.5, n), tail = term;
        int cut = 0;
        double reached = 1 - (2 * tail);
        while (cut + 1 < n - 1 - cut - 1)
        {
            term *= (n - cut) / (cut + 1.0);
            if (1 - (2 * (tail + term)) < confidence) break;
            tail += term;
            cut++;
            reached = 1 - (2 * tail);
        }
        return new Interval(sorted[cut], sorted[n - 1 - cut], Math.Max(reached, 0));
    }

    /// <summary>A sorted copy.</summary>
    internal static double[] Sorted(ReadOnlySpan<double> values)
    {
        if (values.IsEmpty) throw new ArgumentException("no values", nameof(values));
        double[] sorted = values.ToArray();
        foreach (double value in sorted)
        {
            if (!double.IsFinite(value)) throw new ArgumentException($"{value} is no measurement", nameof(values));
        }
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>The median of values already in order.</summary>
    internal static double MedianOfSorted(ReadOnlySpan<double> sorted) =>
        sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
}
