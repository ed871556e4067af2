using System.Diagnostics;
using FlannelFast.Dataplane.Engine;

namespace FlannelFast.Dataplane.Tests.Engine;

public sealed class TokenBucketTests
{
    [Fact]
    public void A_burst_passes_and_then_the_rate()
    {
        var bucket = new TokenBucket(50);
        long now = 1_000 * Stopwatch.Frequency;
        Assert.Equal(50, Enumerable.Range(0, 1000).Count(_ => bucket.TryTake(now)));
        Assert.Equal(50, Enumerable.Range(1, 1000).Count(i => bucket.TryTake(now + i * Stopwatch.Frequency / 1000)));
    }

    [Fact]
    public void No_second_has_more_than_twice_the_rate_whatever_came_before()
    {
        var bucket = new TokenBucket(50);
        var random = new Random(3);
        var passed = new List<long>();
        long now = 0;
        for (int i = 0; i < 100_000; i++)
        {
            now += random.Next((int)(Stopwatch.Frequency / 200));
            if (bucket.TryTake(now)) passed.Add(now);
        }
        for (int first = 0, last = 0; last < passed.Count; last++)
        {
            while (passed[last] - passed[first] >= Stopwatch.Frequency) first++;
            Assert.InRange(last - first + 1, 1, 100);
        }
    }
}
