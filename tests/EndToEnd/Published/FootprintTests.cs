using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Published;

/// <summary>What running it costs.</summary>
public sealed partial class FootprintTests
{
    [Fact]
    public void It_is_ready_within_100_ms()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.ExpressLane = "auto";
        var times = new List<double>();
        for (int i = 0; i < 5; i++)
        {
            long started = Stopwatch.GetTimestamp();
            using Daemon daemon = Daemon.Start(nodes.One, nodes.SocketPath(1), nodes.TunnelFlags(1, "udp"));
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            daemon.Stop();
        }
        // The median: includes "ip netns exec" before it and the client that asks after it.
        times.Sort();
        Assert.InRange(times[2], 0, 100);
    }

    [Theory, InlineData("udp"), InlineData("vxlan")]
    public void It_stays_below_40_megabytes_under_load(string encap)
    {
        using TwoNodes nodes = TwoNodes.CreateJoined(encap);
        Iperf.TcpGigabits(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2));
        Iperf.UdpFlood(nodes.One, nodes.Two, TwoNodes.OverlayAddress(2));
        foreach (Daemon daemon in nodes.Daemons)
        {
            // 3.5 MB that nothing here needs: whatever asks for random numbers by RandomNumberGenerator loads it.
            Assert.DoesNotContain("libcrypto", File.ReadAllText($"/proc/{daemon.Pid}/maps"), StringComparison.Ordinal);
            Match peak = PeakResident().Match(File.ReadAllText($"/proc/{daemon.Pid}/status"));
            Assert.InRange(int.Parse(peak.Groups[1].Value, CultureInfo.InvariantCulture) / 1024.0, 1, 40);
        }
    }

    [Fact]
    public void It_sleeps_when_there_is_nothing_to_do()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.ExpressLane = "auto";
        nodes.StartDaemon(1, "udp");
        nodes.StartDaemon(2, "udp");
        Ping.MustAnswer(nodes.One, TwoNodes.OverlayAddress(2));
        double before = nodes.Daemons[0].ProcessorSeconds();
        Thread.Sleep(1000);
        Assert.InRange(nodes.Daemons[0].ProcessorSeconds() - before, 0, 0.02);
    }

    [GeneratedRegex(@"VmHWM:\s+(\d+) kB")]
    private static partial Regex PeakResident();
}
