using System.Diagnostics;

namespace FlannelFast.EndToEnd.Support;

/// <summary>A hundred pings a second for as long as it lives.</summary>
internal sealed class PingWatch(Netns from, string address) : IDisposable
{
    private readonly Process _ping = Shell.Start("ip", from.CommandLine("ping", "-q", "-i", "0.01", "-W", "5", address));

    /// <summary>Ends it. Every ping must have been answered.</summary>
    public void MustHaveLostNothing()
    {
        Native.Kill(_ping.Id, Native.SIGINT);
        string report = _ping.StandardOutput.ReadToEnd();
        Assert.True(report.Contains(" 0% packet loss", StringComparison.Ordinal), report);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (!_ping.HasExited) _ping.Kill();
        _ping.Dispose();
    }
}
