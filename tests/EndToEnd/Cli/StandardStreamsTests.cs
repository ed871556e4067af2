using FlannelFast.EndToEnd.Support;

namespace FlannelFast.EndToEnd.Cli;

/// <summary>Standard streams that are closed, or a file on a full disk. /dev/full refuses every write with ENOSPC.</summary>
public sealed class StandardStreamsTests
{
    [Theory]
    [InlineData("version")]
    [InlineData("--version")]
    [InlineData("--help")]
    [InlineData("tunnel --help")]
    public void Output_on_a_full_disk_is_an_error_in_one_line(string arguments)
    {
        CommandResult result = Shell.Try("sh", "-c", $"{Daemon.Binary} {arguments} > /dev/full");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains("No space left on device", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_status_on_a_full_disk_is_an_error_in_one_line()
    {
        using TwoNodes nodes = TwoNodes.Create();
        nodes.StartDaemon(1, "udp");
        CommandResult result = Shell.Try("sh", "-c", $"{Daemon.Binary} status --json --socket {nodes.SocketPath(1)} > /dev/full");
        Assert.True(result.ExitCode == 1, result.ToString());
        Assert.Contains("No space left on device", Assert.Single(result.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_that_cannot_be_written_is_an_exit_code() =>
        Assert.Equal(2, Shell.Try("sh", "-c", $"{Daemon.Binary} tunel 2> /dev/full").ExitCode);

    /// <summary>Without care the TUN device gets the number of standard error, and the log goes into the tunnel.</summary>
    [Fact]
    public void A_daemon_without_standard_streams_works()
    {
        using TwoNodes nodes = TwoNodes.Create();
        Daemon other = nodes.StartDaemon(2, "udp");
        string command = $"exec {Daemon.Binary} tunnel {string.Join(' ', nodes.TunnelFlags(1, "udp"))} <&- >&- 2>&-";
        using System.Diagnostics.Process daemon = Shell.Start("ip", nodes.One.CommandLine("sh", "-c", command));
        try
        {
            Ping.MustAnswerWithin(TimeSpan.FromSeconds(5), nodes.One, TwoNodes.OverlayAddress(2));
            for (int fd = 0; fd <= 2; fd++) Assert.Equal("/dev/null", File.ResolveLinkTarget($"/proc/{daemon.Id}/fd/{fd}", returnFinalTarget: false)?.FullName);
            Assert.Equal(0, other.Status().Ingress.Dropped);
            Native.Kill(daemon.Id, Native.SIGTERM);
            Assert.True(daemon.WaitForExit(TimeSpan.FromSeconds(2)), "it does not end");
            Assert.Equal(0, daemon.ExitCode);
        }
        finally
        {
            daemon.Kill();
        }
    }
}
