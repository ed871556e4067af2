namespace FlannelFast.Lab.Workloads;

/// <summary>
/// Binary search of the highest rate that loses at most one packet in a thousand, after RFC 2544, section 26.1. A rate that the sender
/// cannot reach without loss ends the search from above: more cannot be asked of it.
/// </summary>
internal static class RateSearch
{
    /// <summary>Largest share of packets that may be lost.</summary>
    internal const double AllowedLoss = 0.001;

    // Narrower than rounds differ from each other, so that the search adds no error of its own.
    private const double Resolution = 0.02;
    private const int MaxSteps = 12;

    /// <summary>What one step found.</summary>
    /// <param name="SentPps">Packets per second that really left the sender.</param>
    /// <param name="Loss">Share that did not arrive, 0 to 1.</param>
    internal readonly record struct Step(double SentPps, double Loss);

    /// <summary>Searches below the rate of a flood.</summary>
    /// <param name="flood">What a flood found.</param>
    /// <param name="deliveredPps">What arrived of it: the first guess.</param>
    /// <param name="measure">Measures one rate, packets per second.</param>
    /// <returns>Packets per second; 0 if even the lowest rate tried loses more.</returns>
    internal static async Task<double> FindAsync(Step flood, double deliveredPps, Func<double, Task<Step>> measure)
    {
        if (flood.Loss <= AllowedLoss) return flood.SentPps;
        double low = 0, high = flood.SentPps, rate = Math.Min(deliveredPps, high) * 0.9;
        for (int i = 0; i < MaxSteps && high - low > high * Resolution; i++)
        {
            Step step = await measure(rate).ConfigureAwait(false);
            if (step.Loss > AllowedLoss)
            {
                high = rate;
            }
            else
            {
                // What left the sender is proven, not what was asked of it.
                low = Math.Max(low, Math.Min(rate, step.SentPps));
                if (step.SentPps < rate * (1 - Resolution)) high = rate;
            }
            rate = low > 0 ? (low + high) / 2 : high / 2;
        }
        return low;
    }
}
