using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Tests.Statistics;

public sealed class RatioOfMediansTests
{
    [Theory]
    [InlineData(9)]
    [InlineData(15)]
    public void Paired_interval_covers_the_true_ratio(int rounds)
    {
        const int Trials = 200;
        Random random = new(rounds);
        int covered = 0;
        for (int t = 0; t < Trials; t++)
        {
            (double[] a, double[] b) = Rounds(random, rounds, 0.8, noise: 0.1);
            if (RatioOfMedians.Paired(a, b).Interval.Contains(0.8)) covered++;
        }
        Assert.InRange(covered / (double)Trials, 0.90, 1);
    }

    [Fact]
    public void Pairing_takes_the_noise_of_a_round_out()
    {
        (double[] a, double[] b) = Rounds(new Random(5), 15, 0.8, noise: 0.01);
        Interval paired = RatioOfMedians.Paired(a, b).Interval, unpaired = RatioOfMedians.Unpaired(a, b).Interval;
        Assert.True(paired.RelativeWidth(0.8) < unpaired.RelativeWidth(0.8) / 2, $"{paired} against {unpaired}");
    }

    [Fact]
    public void The_same_measurements_give_the_same_interval()
    {
        (double[] a, double[] b) = Rounds(new Random(6), 9, 1.5, noise: 0.1);
        Assert.Equal(RatioOfMedians.Paired(a, b), RatioOfMedians.Paired(a, b));
    }

    [Fact]
    public void Few_rounds_do_not_claim_what_they_cannot_have()
    {
        RatioEstimate estimate = RatioOfMedians.Paired([2, 4, 6], [1, 1, 1]);
        Assert.Equal((4, 2, 6, 0.75), (estimate.Ratio, estimate.Interval.Low, estimate.Interval.High, estimate.Interval.Confidence));
    }

    // The machine's mood of the round touches both, the noise each alone.
    private static (double[] A, double[] B) Rounds(Random random, int rounds, double ratio, double noise)
    {
        double[] a = new double[rounds], b = new double[rounds];
        for (int i = 0; i < rounds; i++)
        {
            double mood = 1 + (0.4 * random.NextDouble());
            a[i] = ratio * mood * (1 + (noise * (random.NextDouble() - 0.5)));
            b[i] = mood * (1 + (noise * (random.NextDouble() - 0.5)));
        }
        return (a, b);
    }
}
