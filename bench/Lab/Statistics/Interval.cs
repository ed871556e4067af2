namespace FlannelFast.Lab.Statistics;

/// <summary>A confidence interval.</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
/// <param name="Confidence">
/// The confidence it really has, 0 to 1. Below what was asked for where the sample is too small for that: five values cannot give
/// more than 94 % for a median.
/// </param>
internal readonly record struct Interval(double Low, double High, double Confidence)
{
    /// <summary>Whether a value lies in it, ends included.</summary>
    internal bool Contains(double value) => value >= Low && value <= High;

    /// <summary>Width relative to a value, such as the estimate.</summary>
    internal double RelativeWidth(double value) => (High - Low) / Math.Abs(value);
}
