using System.Net.Sockets;
using System.Text;
using FlannelFast.Control.Systemd;
using FlannelFast.Tests.Fakes;

namespace FlannelFast.Control.Tests.Systemd;

public sealed class SystemdNotifierTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_manager_hears_every_state(bool isAbstract)
    {
        string name = isAbstract ? $"@flannelfast-test-{Guid.NewGuid():n}" : _directory["notify"];
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 2000 };
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + name[1..] : name));
        var notifier = new SystemdNotifier(name);

        Assert.True(notifier.Ready("2 peers"));
        Assert.Equal("READY=1\nSTATUS=2 peers", Receive());
        Assert.True(notifier.Reloading());
        string[] reloading = Receive().Split('\n');
        Assert.Equal("RELOADING=1", reloading[0]);
        // systemd compares with CLOCK_MONOTONIC, which is what /proc/uptime is without suspended time.
        double uptime = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0]);
        Assert.InRange(long.Parse(reloading[1]["MONOTONIC_USEC=".Length..]) / 1e6, 0, uptime + 1);
        Assert.True(notifier.Status("waiting for the network config"));
        Assert.Equal("STATUS=waiting for the network config", Receive());
        Assert.True(notifier.Watchdog());
        Assert.Equal("WATCHDOG=1", Receive());
        Assert.True(notifier.Stopping());
        Assert.Equal("STOPPING=1", Receive());

        string Receive()
        {
            byte[] buffer = new byte[256];
            return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("@")]
    [InlineData("relative/path")]
    [InlineData("/nonexistent/notify")]
    public void Without_a_manager_nothing_happens(string? socket) => Assert.False(new SystemdNotifier(socket).Ready("x"));

    [Theory]
    [InlineData(null, null, null)]
    [InlineData("", null, null)]
    [InlineData("0", null, null)]
    [InlineData("-1", null, null)]
    [InlineData("soon", null, null)]
    [InlineData("30000000", null, 30.0)]
    [InlineData("500000", "", 0.5)]
    [InlineData("30000000", "self", 30.0)]
    [InlineData("30000000", "1", null)]
    public void The_watchdog_is_ours_or_somebody_elses(string? microseconds, string? process, double? seconds)
    {
        if (process == "self") process = $"{Environment.ProcessId}";
        var variables = new Dictionary<string, string?> { ["WATCHDOG_USEC"] = microseconds, ["WATCHDOG_PID"] = process };
        Assert.Equal(seconds, SystemdNotifier.WatchdogInterval(variables.GetValueOrDefault)?.TotalSeconds);
    }
}
