using System.Diagnostics;

namespace FlannelFast.Control.Tests.Backends;

/// <summary>Waits for what the design promises within a second.</summary>
internal static class Soon
{
    /// <summary>Generous against a busy machine; what took longer than a second is told by the caller's own clock where it matters.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);

    /// <summary>Waits until something holds; fails with what was waited for.</summary>
    internal static void True(Func<bool> condition, string what, double seconds = 10)
    {
        long started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started).TotalSeconds < seconds, $"not within {seconds} s: {what}");
            Thread.Sleep(2);
        }
    }

    /// <summary>Waits until a text is the expected one; returns how long it took.</summary>
    internal static TimeSpan Equal(string expected, Func<string> actual)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            string now = actual();
            TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
            if (now == expected) return elapsed;
            if (elapsed > s_limit) Assert.Equal(expected, now);
            Thread.Sleep(10);
        }
    }
}
