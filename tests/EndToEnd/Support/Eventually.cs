using System.Diagnostics;

namespace FlannelFast.EndToEnd.Support;

/// <summary>Waits for what happens soon, but not at once.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(5);

    /// <summary>Waits until a condition holds; fails with the message when it does not within the limit.</summary>
    public static void True(Func<bool> condition, TimeSpan limit, Func<string> message)
    {
        long started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(started) > limit) Assert.Fail($"not within {limit.TotalSeconds} s: {message()}");
            Thread.Sleep(s_interval);
        }
    }

    /// <summary>Waits until a value is the expected one; fails with both when it is not within two seconds.</summary>
    public static void Equal<T>(T expected, Func<T> actual, string what)
    {
        T last = default!;
        True(() => Equals(last = actual(), expected), TimeSpan.FromSeconds(2), () => $"{what}: expected {expected}, is {last}");
    }
}
