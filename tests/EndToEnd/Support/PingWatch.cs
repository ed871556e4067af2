using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace FlannelFast.EndToEnd.Support;

/// <summary>A hundred pings a second for as long as it lives.</summary>
internal sealed partial class PingWatch : IDisposable
{
    private readonly Process _ping;
    private readonly Task<string> _output;

    public PingWatch(Netns from, string address)
    {
        _ping = Shell.Start("ip", from.CommandLine("ping", "-i", "0.01", "-W", "5", address));
        // A pipe that nobody reads is full after a thousand answers, and ping then waits.
        _output = _ping.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Ends it. Every ping must have been answered, but perhaps the last: its answer may be under way when the signal comes.</summary>
    public void MustHaveLostNothing()
    {
        Native.Kill(_ping.Id, Native.SIGINT);
        string output = _output.GetAwaiter().GetResult();
        int sent = int.Parse(Sent().Match(output).Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
        // The kernel's sequence numbers have 16 bits, and so has ping's field.
        Assert.InRange(sent, 1, ushort.MaxValue);
        HashSet<int> answered = [.. Answer().Matches(output).Select(m => int.Parse(m.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture))];
        int[] lost = [.. Enumerable.Range(1, sent - 1).Where(n => !answered.Contains(n))];
        Assert.True(lost.Length == 0, $"{lost.Length} of {sent} lost, the first is number {lost.FirstOrDefault()}\n{output[^Math.Min(output.Length, 400)..]}");
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_ping.HasExited) _ping.Kill();
        _ping.Dispose();
    }

    [GeneratedRegex(@"^(\d+) packets transmitted", RegexOptions.Multiline)]
    private static partial Regex Sent();

    [GeneratedRegex(@"bytes from .* icmp_seq=(\d+) ")]
    private static partial Regex Answer();
}
