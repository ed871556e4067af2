using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Tests.Traffic;

public sealed class SequenceTrackerTests
{
    [Theory]
    [InlineData(1, 0, 0, 0, 0)]
    [InlineData(2, 0.01, 0.01, 0.01, 5)]
    [InlineData(3, 0.5, 0.2, 0.3, 1000)]
    [InlineData(4, 0.1, 0.5, 0.9, 100_000)]
    public void Counts_what_a_set_counts_under_loss_duplication_and_reordering(int seed, double loss, double duplication, double late, int furthest)
    {
        // Three windows long, so that the ring is used over and over.
        const int Sent = 3 * SequenceTracker.Window;
        Random random = new(seed);
        List<(long When, ulong Sequence)> arrivals = [];
        for (int i = 0; i < Sent; i++)
        {
            if (random.NextDouble() < loss) continue;
            arrivals.Add((Delay(i), (ulong)i));
            if (random.NextDouble() < duplication) arrivals.Add((Delay(i), (ulong)i));
        }
        SequenceTracker tracker = new();
        NaiveTracker naive = new();
        foreach ((_, ulong sequence) in arrivals.OrderBy(a => a.When))
        {
            tracker.Add(sequence);
            naive.Add(sequence);
        }
        Assert.Equal((naive.Unique, naive.Duplicate, naive.Reordered, naive.ReorderDistance), (tracker.Unique, tracker.Duplicate, tracker.Reordered, tracker.ReorderDistance));
        Assert.Equal(0, tracker.Stale);

        long Delay(int i) => i + (random.NextDouble() < late ? random.Next(furthest) : 0);
    }

    [Fact]
    public void A_gap_of_any_length_hides_no_old_bits()
    {
        foreach (int gap in new[] { 1, 63, 64, 65, SequenceTracker.Window - 1, SequenceTracker.Window, SequenceTracker.Window + 1, 5 * SequenceTracker.Window })
        {
            SequenceTracker tracker = new();
            for (ulong i = 0; i < 1000; i++) tracker.Add(i);
            ulong far = (ulong)(999 + gap);
            tracker.Add(far);
            // Nothing between was seen: each of these is new, late, and no duplicate.
            ulong from = Math.Max(1000, far > SequenceTracker.Window ? far - SequenceTracker.Window + 1 : 0);
            for (ulong i = from; i < far; i++) tracker.Add(i);
            Assert.Equal((0L, (long)(far - from), 0L), (tracker.Duplicate, tracker.Reordered, tracker.Stale));
        }
    }

    [Fact]
    public void What_the_window_has_passed_is_stale_and_what_cannot_be_is_invalid()
    {
        SequenceTracker tracker = new(limit: 1UL << 40);
        tracker.Add(SequenceTracker.Window);
        tracker.Add(1);
        tracker.Add(0);
        tracker.Add(1UL << 40);
        tracker.Add(ulong.MaxValue);
        Assert.Equal((2L, 1L, 2L), (tracker.Unique, tracker.Stale, tracker.Invalid));
        tracker.Reset();
        tracker.Add(SequenceTracker.Window);
        Assert.Equal((1L, 0L, 0L, 0L), (tracker.Unique, tracker.Duplicate, tracker.Stale, tracker.Invalid));
    }
}
