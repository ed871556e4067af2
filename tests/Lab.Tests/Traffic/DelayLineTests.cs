using FlannelFast.Lab.Traffic;

namespace FlannelFast.Lab.Tests.Traffic;

public sealed unsafe class DelayLineTests
{
    [Fact]
    public void Frames_come_out_when_they_are_due_in_order_and_unchanged()
    {
        using DelayLine line = new(4096);
        Assert.Equal(long.MaxValue, line.NextDue);
        Assert.True(Add(line, 1, 100, due: 10));
        Assert.True(Add(line, 2, 200, due: 20));
        Assert.Equal(10, line.NextDue);
        Assert.Empty(Take(line, now: 9));
        Assert.Equal([(1, 100)], Take(line, now: 19));
        Assert.Equal([(2, 200)], Take(line, now: 20));
        Assert.Empty(Take(line, now: 1000));
    }

    [Fact]
    public void A_full_line_takes_nothing_and_loses_nothing()
    {
        using DelayLine line = new(1024);
        int taken = 0;
        while (Add(line, (byte)taken, 100, due: 1)) taken++;
        Assert.Equal(1024 / 128, taken);
        Assert.Equal(Enumerable.Range(0, taken).Select(i => (i, 100)), Take(line, now: 1));
        Assert.True(Add(line, 9, 100, due: 1));
    }

    // Against a queue that is obviously right, with lengths that leave gaps of every size at the end of the ring.
    [Fact]
    public void Behaves_as_a_queue_over_many_turns_of_the_ring()
    {
        Random random = new(1);
        using DelayLine line = new(8192);
        Queue<(int Fill, int Length, long Due)> twin = new();
        long due = 0;
        int added = 0;
        for (int step = 0; step < 20_000; step++)
        {
            due += random.Next(3);
            int length = random.Next(1, 1600), fill = random.Next(256);
            if (Add(line, (byte)fill, length, due))
            {
                twin.Enqueue((fill, length, due));
                added++;
            }
            else
            {
                // Never refused with half of the ring free: a gap is smaller than the frame that did not fit.
                Assert.True(twin.Sum(f => f.Length + 32) + 1632 + 1632 > 8192);
            }
            long now = due - random.Next(12);
            var expected = new List<(int, int)>();
            while (twin.TryPeek(out (int Fill, int Length, long Due) first) && first.Due <= now)
            {
                expected.Add((first.Fill, first.Length));
                twin.Dequeue();
            }
            Assert.Equal(expected, Take(line, now));
            Assert.Equal(twin.TryPeek(out (int Fill, int Length, long Due) next) ? next.Due : long.MaxValue, line.NextDue);
        }
        Assert.InRange(added, 10_000, 20_000);
    }

    [Fact]
    public void Fates_have_the_shares_that_were_asked_for()
    {
        const int Frames = 200_000;
        Random random = new(2);
        var impairment = new Impairment(1, LossPpm: 100_000, ReorderPpm: 250_000, DuplicatePpm: 20_000);
        FrameFate[] fates = [.. Enumerable.Range(0, Frames).Select(_ => impairment.Next(random))];
        double Share(Func<FrameFate, bool> match) => fates.Count(match) / (double)Frames;
        Assert.InRange(Share(f => f == FrameFate.Lost), 0.097, 0.103);
        Assert.InRange(Share(f => (f & FrameFate.AtOnce) != 0), 0.9 * 0.245, 0.9 * 0.255);
        Assert.InRange(Share(f => (f & FrameFate.Twice) != 0), 0.9 * 0.018, 0.9 * 0.022);
        Assert.All(fates, f => Assert.True(f == FrameFate.Lost || (f & FrameFate.Lost) == 0));
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.Equal(FrameFate.Delayed, default(Impairment).Next(random)));
    }

    private static bool Add(DelayLine line, byte fill, int length, long due)
    {
        byte[] frame = [.. Enumerable.Repeat(fill, length)];
        fixed (byte* start = frame) return line.TryAdd(start, length, due);
    }

    private static List<(int Fill, int Length)> Take(DelayLine line, long now)
    {
        var taken = new List<(int, int)>();
        long position = 0;
        while (line.TryPeek(ref position, now, out byte* frame, out int length))
        {
            Assert.Equal(-1, new ReadOnlySpan<byte>(frame, length).IndexOfAnyExcept(*frame));
            taken.Add((*frame, length));
        }
        line.RemoveTo(position);
        return taken;
    }
}
