using System.Diagnostics;

namespace FlannelFast.Control.Tests.Backends.Support;

/// <summary>Waits for what another thread or the kernel does soon.</summary>
internal static class Eventually
{
    public static void True(Func<bool> condition, string what, double seconds = 10)
    {
        long started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started).TotalSeconds < seconds, $"not within {seconds} s: {what}");
            Thread.Sleep(2);
        }
    }
}
