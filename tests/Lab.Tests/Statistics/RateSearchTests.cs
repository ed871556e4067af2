using FlannelFast.Lab.Statistics;

namespace FlannelFast.Lab.Tests.Statistics;

public sealed class RateSearchTests
{
    [Theory]
    [InlineData(1_000)]
    [InlineData(12_345)]
    [InlineData(187_000)]
    [InlineData(950_000)]
    public void Finds_the_capacity_of_a_link_within_the_resolution(long capacity)
    {
        RateSearch search = Search();
        RateSearchResult result = search.Run(rate => Loss(rate, capacity));
        Assert.True(result.Confirmed);
        // A tenth of a percent of loss is allowed, so a little more than the capacity passes.
        Assert.InRange(result.Rate, capacity * (1 - (search.Resolution * 1.01)) - 1, capacity * 1.0011);
        Assert.InRange(result.Trials.Count, 3, 25);
        Assert.InRange(result.Loss, 0, search.MaxLoss);
        Assert.False(result.AtCeiling);
    }

    [Fact]
    public void A_link_faster_than_asked_for_is_at_the_ceiling_after_three_trials()
    {
        RateSearchResult result = Search().Run(_ => 0);
        Assert.Equal((1_000_000L, true, true, 3), (result.Rate, result.Confirmed, result.AtCeiling, result.Trials.Count));
    }

    [Fact]
    public void A_dead_link_gives_zero()
    {
        RateSearchResult result = Search().Run(_ => 1);
        Assert.Equal((0L, false), (result.Rate, result.Confirmed));
        Assert.Equal(100, result.Trials[^1].Rate);
    }

    [Fact]
    public void A_lucky_trial_is_refuted()
    {
        int trials = 0;
        // The first trial sees an idle machine, then the link carries 100,000.
        RateSearchResult result = Search().Run(rate => ++trials <= 1 ? 0 : Loss(rate, 100_000));
        Assert.True(result.Confirmed);
        Assert.InRange(result.Rate, 95_000, 100_110);
    }

    [Fact]
    public void A_link_that_sometimes_loses_still_ends_with_a_rate_that_passed_three_times()
    {
        for (int seed = 0; seed < 50; seed++)
        {
            Random random = new(seed);
            RateSearchResult result = Search(trials: 60).Run(rate => random.NextDouble() < 0.1 ? 0.01 : Loss(rate, 200_000));
            Assert.True(result.Confirmed, $"seed {seed}");
            Assert.InRange(result.Rate, 1, 200_201);
            Assert.InRange(result.Trials.Count(t => t.Rate == result.Rate && t.Passed), 3, 60);
        }
    }

    [Fact]
    public void The_number_of_trials_is_a_limit()
    {
        RateSearchResult result = Search(trials: 5).Run(rate => Loss(rate, 50_000));
        Assert.Equal((5, false), (result.Trials.Count, result.Confirmed));
    }

    [Fact]
    public void A_loss_that_cannot_be_is_an_error() =>
        Assert.Throws<InvalidOperationException>(() => Search().Run(_ => double.NaN));

    private static RateSearch Search(int trials = 30) => new() { Lowest = 100, Highest = 1_000_000, MaxTrials = trials };

    private static double Loss(long rate, long capacity) => rate <= capacity ? 0 : 1 - (capacity / (double)rate);
}
