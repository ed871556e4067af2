using System.Diagnostics;
using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Faults;

/// <summary>Whoever reads the daemon's standard error stops reading: a stopped pager, a log collector that hangs.</summary>
public sealed class StuckLogTests
{
    // More than the lines that fit the queue in front of the pipe (2500).
    private const int Lines = 4000;

    [Fact]
    public void Repairs_and_the_end_do_not_wait_for_it()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(2, "udp");
        string pipe = Path.Combine(nodes.Directory, "stderr");
        Shell.Run("mkfifo", pipe);
        using FileStream reader = new(pipe, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        // The whole pipe (pipe(7)), so that the first line of the daemon is stuck already.
        reader.Write(new byte[65536]);
        using Process daemon = Shell.Start("ip", nodes.One.CommandLine(
            "sh", ["-c", $"exec \"$@\" 2> {pipe}", "sh", Daemon.Binary, "tunnel", .. nodes.TunnelFlags(1, "udp")]));
        try
        {
            Ping.MustAnswerWithin(TimeSpan.FromSeconds(5), nodes.One, TwoNodes.OverlayAddress(2));
            for (int i = 0; i < Lines; i++)
            {
                Native.Kill(daemon.Id, Native.SIGHUP);
                // Signals of one kind that come faster than they are served are one.
                Thread.Sleep(TimeSpan.FromMicroseconds(200));
            }

            nodes.One.Ip("link", "del", "ff0");
            Ping.MustAnswerWithin(TimeSpan.FromSeconds(2), nodes.One, TwoNodes.OverlayAddress(2));
            Native.Kill(daemon.Id, Native.SIGTERM);
            Assert.True(daemon.WaitForExit(TimeSpan.FromSeconds(3)), "it does not end");
            Assert.Equal(0, daemon.ExitCode);
        }
        finally
        {
            daemon.Kill();
        }
    }
}
