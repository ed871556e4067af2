using System.Globalization;

namespace FlannelFast.Lab.Traffic;

/// <summary>
/// One line of standard output per interval, "interval NANOSECONDS BYTES": how long it really was and what arrived in it. The lab draws
/// from them how throughput went over a long run.
/// </summary>
internal static class IntervalReport
{
    private const string Word = "interval";

    /// <summary>Writes until the end, whole intervals only.</summary>
    internal static void Write(TextWriter output, long interval, LiveCounter counter, StopSignal stop)
    {
        Clock.SharpenSleeps();
        long began = Clock.Now, before = counter.Value;
        while (!stop.IsSet)
        {
            long left = began + interval - Clock.Now;
            if (left > 0)
            {
                Clock.Sleep(Math.Min(left, LabSocket.WaitMilliseconds * Clock.Millisecond));
                continue;
            }
            (long now, long value) = (Clock.Now, counter.Value);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Word} {now - began} {value - before}"));
            output.Flush();
            (began, before) = (now, value);
        }
    }

    /// <summary>Reads a line; null if it is another one.</summary>
    internal static (long Nanoseconds, long Bytes)? Parse(string line)
    {
        string[] parts = line.Split(' ');
        return parts is [Word, var time, var bytes]
            ? (long.Parse(time, NumberStyles.None, CultureInfo.InvariantCulture), long.Parse(bytes, NumberStyles.None, CultureInfo.InvariantCulture))
            : null;
    }
}
