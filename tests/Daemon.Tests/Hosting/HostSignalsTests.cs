using System.Diagnostics;
using FlannelFast.Daemon.Hosting;

namespace FlannelFast.Daemon.Tests.Hosting;

public sealed class HostSignalsTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hangups_of_the_process_become_one_waiting_reload()
    {
        using HostSignals signals = HostSignals.Register(withReload: true);
        for (int i = 0; i < 3; i++) Send("HUP");
        Assert.True(await signals.Reloads.ReadAsync(Cancel).AsTask().WaitAsync(TimeSpan.FromSeconds(5), Cancel));
        Assert.False(signals.Stopped.IsCompleted);
    }

    [Fact]
    public async Task Termination_of_the_process_becomes_a_stop()
    {
        using HostSignals signals = HostSignals.Register(withReload: true);
        Send("TERM");
        await signals.Stopped.WaitAsync(TimeSpan.FromSeconds(5), Cancel);
    }

    [Fact]
    public void Requests_are_not_queued_up()
    {
        using var signals = new HostSignals();
        for (int i = 0; i < 100; i++) signals.RequestReload();
        Assert.True(signals.Reloads.TryRead(out _));
        Assert.False(signals.Reloads.TryRead(out _));
    }

    private static void Send(string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{Environment.ProcessId}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
