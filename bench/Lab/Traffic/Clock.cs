using System.Diagnostics;
using FlannelFast.Dataplane.Interop;

namespace FlannelFast.Lab.Traffic;

/// <summary>CLOCK_MONOTONIC in nanoseconds: comparable between the processes of one machine, also across network namespaces.</summary>
internal static unsafe class Clock
{
    /// <summary>Nanoseconds in a second.</summary>
    internal const long Second = 1_000_000_000;

    /// <summary>Nanoseconds in a millisecond.</summary>
    internal const long Millisecond = 1_000_000;

    /// <summary>
    /// How long, in nanoseconds, a source waits beyond the nominal end for what is still under way and for the sink's figures: with
    /// the last blocking call a dead peer is known within 5 s.
    /// </summary>
    internal const long Grace = 4_500 * Millisecond;

    /// <summary>Now. The runtime reads CLOCK_MONOTONIC through the vDSO; its frequency on Linux is always 1 GHz.</summary>
    internal static long Now => Stopwatch.GetTimestamp();

    /// <summary>
    /// Makes the sleeps of the calling thread end on time: the default slack of 50 us (prctl(2), PR_SET_TIMERSLACK) would be
    /// a large part of a probe interval.
    /// </summary>
    internal static void SharpenSleeps() => _ = Libc.prctl(Libc.PR_SET_TIMERSLACK, 1, 0, 0, 0);

    /// <summary>Sleeps; returns early on a signal.</summary>
    internal static void Sleep(long nanoseconds)
    {
        if (nanoseconds <= 0) return;
        timespec time = new() { tv_sec = nanoseconds / Second, tv_nsec = nanoseconds % Second };
        _ = Libc.clock_nanosleep(Libc.CLOCK_MONOTONIC, 0, &time, null);
    }
}
