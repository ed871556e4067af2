namespace FlannelFast.Lab.Statistics;

/// <summary>
/// How two contenders, or two runs, compare: the ratio of their medians with a bootstrap interval (Efron's percentile method). The
/// random numbers are the same each time, so the same measurements always give the same interval.
/// </summary>
internal static class RatioOfMedians
{
    private const int Resamples = 4000;
    private const int Seed = 20_250_101;

    /// <summary>
    /// Of measurements taken in the same rounds. Whole rounds are drawn: what disturbed a round disturbed both, and that part of
    /// the noise cancels.
    /// </summary>
    /// <param name="numerator">One value a round.</param>
    /// <param name="denominator">The values of the same rounds in the same order; all greater than zero.</param>
    /// <param name="confidence">0 to 1.</param>
    internal static RatioEstimate Paired(ReadOnlySpan<double> numerator, ReadOnlySpan<double> denominator, double confidence = 0.95)
    {
        if (numerator.Length != denominator.Length)
            throw new ArgumentException($"{numerator.Length} values cannot be paired with {denominator.Length}", nameof(denominator));
        return Estimate(numerator, denominator, confidence, paired: true);
    }

    /// <summary>Of measurements of different runs: each side is drawn for itself.</summary>
    internal static RatioEstimate Unpaired(ReadOnlySpan<double> numerator, ReadOnlySpan<double> denominator, double confidence = 0.95) =>
        Estimate(numerator, denominator, confidence, paired: false);

    private static RatioEstimate Estimate(ReadOnlySpan<double> numerator, ReadOnlySpan<double> denominator, double confidence, bool paired)
    {
        if (!(confidence is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "a confidence is between 0 and 1");
        double ratio = Sample.Median(numerator) / Sample.Median(denominator);
        foreach (double value in denominator)
        {
            if (value <= 0) throw new ArgumentException($"nothing can be compared with {value}", nameof(denominator));
        }
        Random random = new(Seed);
        double[] above = new double[numerator.Length], below = new double[denominator.Length];
        double[] ratios = new double[Resamples];
        for (int r = 0; r < Resamples; r++)
        {
            for (int i = 0; i < above.Length; i++)
            {
                int drawn = random.Next(above.Length);
                above[i] = numerator[drawn];
                if (paired) below[i] = denominator[drawn];
            }
            for (int i = 0; !paired && i < below.Length; i++) below[i] = denominator[random.Next(below.Length)];
            Array.Sort(above);
            Array.Sort(below);
            ratios[r] = Sample.MedianOfSorted(above) / Sample.MedianOfSorted(below);
        }
        Array.Sort(ratios);
        int cut = (int)(Resamples * (1 - confidence) / 2);
        // Below six rounds no interval has 95 %, whatever is computed; the binomial argument bounds what the range can claim.
        double reachable = 1 - Math.Pow(0.5, Math.Min(above.Length, below.Length) - 1);
        return reachable < confidence
            ? new RatioEstimate(ratio, new Interval(ratios[0], ratios[^1], reachable))
            : new RatioEstimate(ratio, new Interval(ratios[cut], ratios[^(cut + 1)], confidence));
    }
}
