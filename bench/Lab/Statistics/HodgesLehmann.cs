namespace FlannelFast.Lab.Statistics;

/// <summary>
/// How two contenders, or two runs, compare: the Hodges-Lehmann estimate of their ratio, on logarithms, with the exact interval of the
/// rank test that belongs to it (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3.2 and 4.2). Six rounds are enough for 95 %.
/// A bootstrap of medians, which stood here before, covered 93 % with six rounds and was 40 % wider with ten.
/// </summary>
internal static class HodgesLehmann
{
    // Beyond this the normal approximation of the rank statistics is closer than anything a measurement resolves.
    private const int MostExact = 50;

    /// <summary>
    /// Of measurements taken in the same rounds (signed-rank test): what disturbed a round disturbed both, and that part of the noise cancels.
    /// </summary>
    /// <param name="numerator">One value a round, all greater than zero.</param>
    /// <param name="denominator">The values of the same rounds in the same order; all greater than zero.</param>
    /// <param name="confidence">0 to 1.</param>
    internal static RatioEstimate Paired(ReadOnlySpan<double> numerator, ReadOnlySpan<double> denominator, double confidence = 0.95)
    {
        if (numerator.Length != denominator.Length)
            throw new ArgumentException($"{numerator.Length} values cannot be paired with {denominator.Length}", nameof(denominator));
        double[] above = Logarithms(numerator), below = Logarithms(denominator);
        int n = above.Length;
        double[] averages = new double[n * (n + 1) / 2];
        int filled = 0;
        for (int i = 0; i < n; i++)
        {
            for (int j = i; j < n; j++) averages[filled++] = (above[i] - below[i] + above[j] - below[j]) / 2;
        }
        double mean = averages.Length / 2.0;
        double deviation = Math.Sqrt(n * (n + 1.0) * ((2 * n) + 1) / 24);
        return Between(averages, n > MostExact ? null : SignedRanks(n), mean, deviation, confidence);
    }

    /// <summary>Of measurements of different runs (rank-sum test).</summary>
    internal static RatioEstimate Unpaired(ReadOnlySpan<double> numerator, ReadOnlySpan<double> denominator, double confidence = 0.95)
    {
        double[] above = Logarithms(numerator), below = Logarithms(denominator);
        double[] differences = new double[above.Length * below.Length];
        for (int i = 0; i < above.Length; i++)
        {
            for (int j = 0; j < below.Length; j++) differences[(i * below.Length) + j] = above[i] - below[j];
        }
        double mean = differences.Length / 2.0;
        double deviation = Math.Sqrt(differences.Length * (above.Length + below.Length + 1.0) / 12);
        bool exact = above.Length <= MostExact && below.Length <= MostExact;
        return Between(differences, exact ? RankSums(above.Length, below.Length) : null, mean, deviation, confidence);
    }

    // The k-th least and the k-th greatest of the pairwise values bound the interval, where the rank statistic is below k with
    // a probability of at most half of what may be missed.
    private static RatioEstimate Between(double[] pairwise, double[]? distribution, double mean, double deviation, double confidence)
    {
        if (!(confidence is > 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(confidence), confidence, "a confidence is between 0 and 1");
        Array.Sort(pairwise);
        int cut = 0;
        double reached = confidence;
        if (distribution is not null)
        {
            double tail = distribution[0];
            reached = 1 - (2 * tail);
            while (1 - (2 * (tail + distribution[cut + 1])) >= confidence)
            {
                tail += distribution[++cut];
                reached = 1 - (2 * tail);
            }
        }
        else
        {
            cut = Math.Max(0, (int)(mean - (Normal((1 - confidence) / 2) * deviation)) - 1);
        }
        return new(
            Math.Exp(Sample.MedianOfSorted(pairwise)),
            new(Math.Exp(pairwise[cut]), Math.Exp(pairwise[^(cut + 1)]), Math.Max(reached, 0)));
    }

    // How many standard deviations leave this share at one side, at most 0.00045 off (Abramowitz and Stegun, 26.2.23).
    private static double Normal(double share)
    {
        double t = Math.Sqrt(-2 * Math.Log(share));
        return t - ((2.515517 + (t * (0.802853 + (t * 0.010328)))) / (1 + (t * (1.432788 + (t * (0.189269 + (t * 0.001308)))))));
    }

    // How likely the ranks 1 to n that fall on one side sum up to each value, if either side is as likely.
    private static double[] SignedRanks(int n)
    {
        double[] chance = new double[(n * (n + 1) / 2) + 1];
        chance[0] = 1;
        for (int rank = 1, top = 0; rank <= n; top += rank++)
        {
            for (int sum = top + rank; sum >= 0; sum--) chance[sum] = (chance[sum] + (sum >= rank ? chance[sum - rank] : 0)) / 2;
        }
        return chance;
    }

    // How likely each number of pairs in which the one value is the greater is, if all orders are as likely: the coefficients of the
    // Gaussian binomial, the product of (1 - q^(m+i)) / (1 - q^i), divided by their sum as the factors go in.
    private static double[] RankSums(int n, int m)
    {
        double[] chance = new double[(n * m) + 1];
        chance[0] = 1;
        for (int i = 1; i <= n; i++)
        {
            for (int sum = chance.Length - 1; sum >= m + i; sum--) chance[sum] -= chance[sum - m - i];
            for (int sum = i; sum < chance.Length; sum++) chance[sum] += chance[sum - i];
            for (int sum = 0; sum < chance.Length; sum++) chance[sum] *= i / (double)(m + i);
        }
        return chance;
    }

    private static double[] Logarithms(ReadOnlySpan<double> values)
    {
        if (values.IsEmpty) throw new ArgumentException("no values", nameof(values));
        double[] logarithms = new double[values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            if (!(values[i] > 0 && double.IsFinite(values[i]))) throw new ArgumentException($"nothing can be compared with {values[i]}", nameof(values));
            logarithms[i] = Math.Log(values[i]);
        }
        return logarithms;
    }
}
