using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Tests.Statistics;

public sealed class HodgesLehmannTests
{
    // With 2,000 trials one standard deviation is 0.5 %: below 93.5 % is three of them away from what is promised.
    private const int Trials = 2000;
    private const double Least = 0.935;

    [Theory]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(10)]
    [InlineData(25)]
    [InlineData(60)]
    public void Intervals_have_the_95_percent_they_claim_from_six_rounds_on(int rounds)
    {
        Random random = new(rounds);
        int paired = 0, unpaired = 0;
        for (int t = 0; t < Trials; t++)
        {
            (double[] a, double[] b) = Rounds(random, rounds, 0.8, noise: 0.1);
            RatioEstimate together = HodgesLehmann.Paired(a, b);
            Assert.InRange(together.Interval.Confidence, 0.95, 1);
            if (together.Interval.Contains(0.8)) paired++;
            if (HodgesLehmann.Unpaired(a, Rounds(random, rounds, 0.8, noise: 0.1).B).Interval.Contains(0.8)) unpaired++;
        }
        Assert.InRange(paired / (double)Trials, Least, 1);
        Assert.InRange(unpaired / (double)Trials, Least, 1);
    }

    [Fact]
    public void Pairing_takes_the_noise_of_a_round_out()
    {
        (double[] a, double[] b) = Rounds(new Random(5), 15, 0.8, noise: 0.01);
        Interval paired = HodgesLehmann.Paired(a, b).Interval, unpaired = HodgesLehmann.Unpaired(a, b).Interval;
        Assert.True(paired.RelativeWidth(0.8) < unpaired.RelativeWidth(0.8) / 2, $"{paired} against {unpaired}");
    }

    // Hollander, Wolfe and Chicken, tables A.4 and A.6: the least confidence of 95 % is cut at these places.
    [Theory]
    [InlineData(6, 1, 0.96875)]
    [InlineData(8, 4, 0.9609375)]
    [InlineData(10, 9, 0.951171875)]
    public void Signed_ranks_are_cut_where_the_tables_say(int n, int place, double confidence)
    {
        // Logarithms 1, 2, 4, …: every pairwise average is another one.
        double[] exponents = [.. Enumerable.Range(0, n).Select(i => Math.Pow(2, i))];
        double[] averages = [.. (from i in Enumerable.Range(0, n) from j in Enumerable.Range(i, n - i) select (exponents[i] + exponents[j]) / 2).Order()];
        Interval interval = HodgesLehmann.Paired([.. exponents.Select(e => Math.Exp(e / 100))], [.. exponents.Select(_ => 1.0)]).Interval;
        Assert.Equal(confidence, interval.Confidence, 9);
        Assert.Equal(averages[place - 1], Math.Log(interval.Low) * 100, 6);
        Assert.Equal(averages[^place], Math.Log(interval.High) * 100, 6);
    }

    [Theory]
    [InlineData(4, 4, 1, 0.9714285714)]
    [InlineData(5, 5, 3, 0.9682539683)]
    [InlineData(6, 6, 6, 0.9588744589)]
    [InlineData(6, 9, 11, 0.9504495504)]
    public void Rank_sums_are_cut_where_the_tables_say(int n, int m, int place, double confidence)
    {
        double[] one = [.. Enumerable.Range(0, n).Select(i => i * 100.0)], other = [.. Enumerable.Range(0, m).Select(i => (double)i)];
        double[] differences = [.. (from a in one from b in other select a - b).Order()];
        Interval interval = HodgesLehmann.Unpaired([.. one.Select(v => Math.Exp(v / 1000))], [.. other.Select(v => Math.Exp(v / 1000))]).Interval;
        Assert.Equal(confidence, interval.Confidence, 9);
        Assert.Equal(differences[place - 1], Math.Log(interval.Low) * 1000, 6);
        Assert.Equal(differences[^place], Math.Log(interval.High) * 1000, 6);
    }

    [Fact]
    public void Few_rounds_do_not_claim_what_they_cannot_have()
    {
        RatioEstimate estimate = HodgesLehmann.Paired([2, 4, 8], [1, 1, 1]);
        Assert.Equal((4, 2, 8, 0.75), (Math.Round(estimate.Ratio, 9), Math.Round(estimate.Interval.Low, 9), Math.Round(estimate.Interval.High, 9), estimate.Interval.Confidence));
        RatioEstimate one = HodgesLehmann.Paired([3], [2]);
        Assert.Equal((1.5, 1.5, 1.5, 0), (Math.Round(one.Ratio, 9), Math.Round(one.Interval.Low, 9), Math.Round(one.Interval.High, 9), one.Interval.Confidence));
    }

    [Fact]
    public void One_disturbed_round_does_not_move_the_estimate()
    {
        (double[] a, double[] b) = Rounds(new Random(7), 9, 0.8, noise: 0.02);
        double undisturbed = HodgesLehmann.Paired(a, b).Ratio;
        a[3] /= 10;
        Assert.InRange(HodgesLehmann.Paired(a, b).Ratio, undisturbed * 0.97, undisturbed * 1.001);
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
