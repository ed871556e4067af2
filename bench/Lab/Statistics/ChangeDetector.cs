namespace FlannelFast.Lab.Statistics;

/// <summary>Decides whether a quantity changed beyond the noise between two runs.</summary>
internal static class ChangeDetector
{
    /// <summary>Least rounds on each side for a decision: with fewer the interval is narrow by chance too often.</summary>
    internal const int MinRounds = 5;

    /// <summary>Compares.</summary>
    /// <param name="before">One value a round, all greater than zero.</param>
    /// <param name="after">One value a round.</param>
    /// <param name="higherIsBetter">A rate and not a cost.</param>
    /// <param name="tolerance">
    /// A relative change up to this does not matter, 0.03 for 3 %: two runs on one machine differ by their memory layout alone.
    /// </param>
    /// <param name="comparisons">
    /// How many are made at once. Of 48 intervals of 95 % two or three miss by chance alone, so that equal runs would nearly always "differ":
    /// all verdicts together are to be right with 95 % (Bonferroni), as far as the rounds can be; six on each side reach 99.8 % for one.
    /// </param>
    internal static Change Compare(ReadOnlySpan<double> before, ReadOnlySpan<double> after, bool higherIsBetter, double tolerance = 0.03, int comparisons = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(comparisons, 1);
        if (!(tolerance is >= 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(tolerance), tolerance, "a tolerance is from 0 to below 1");
        RatioEstimate ratio = HodgesLehmann.Unpaired(after, before);
        Interval strict = HodgesLehmann.Unpaired(after, before, 1 - (0.05 / comparisons)).Interval;
        return new Change(ratio, Judge(ratio, strict, Math.Min(before.Length, after.Length), higherIsBetter, tolerance));
    }

    private static Verdict Judge(RatioEstimate ratio, Interval strict, int rounds, bool higherIsBetter, double tolerance)
    {
        if (rounds < MinRounds) return Verdict.Undecided;
        (double low, double high) = (1 - tolerance, 1 / (1 - tolerance));
        // The whole strict interval on one side of 1 says that the change is real, the estimate beyond the tolerance that it matters.
        if (strict.Low > 1 && ratio.Ratio > high) return higherIsBetter ? Verdict.Improved : Verdict.Regressed;
        if (strict.High < 1 && ratio.Ratio < low) return higherIsBetter ? Verdict.Regressed : Verdict.Improved;
        // An interval that reaches far to a side could hide a change that matters, unless the change is real and small.
        bool small = ratio.Ratio >= low && ratio.Ratio <= high;
        bool real = !ratio.Interval.Contains(1);
        bool narrow = ratio.Interval.Low >= 1 - (3 * tolerance) && ratio.Interval.High <= 1 + (3 * tolerance);
        return small && (real || narrow) ? Verdict.Unchanged : Verdict.Undecided;
    }
}
