using System.Runtime.InteropServices;
using System.Threading.Channels;
using FlannelFast.Control.Processes;

namespace FlannelFast.Daemon.Hosting;

/// <summary>The signals of a daemon: TERM and INT ask it to end, HUP to read its configuration again.</summary>
internal sealed class HostSignals : IDisposable
{
    // One waiting request stands for all that arrive before it is served.
    private readonly Channel<bool> _reloads = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Done when the daemon shall end.</summary>
    internal Task Stopped => _stop.Task;

    /// <summary>One item per reload to do.</summary>
    internal ChannelReader<bool> Reloads => _reloads.Reader;

    /// <summary>Takes over the signals of this process.</summary>
    /// <param name="withReload">SIGHUP too; else it ends the process, as it does by default.</param>
    internal static HostSignals Register(bool withReload)
    {
        var signals = new HostSignals();
        signals.On(PosixSignal.SIGTERM, signals.RequestStop);
        signals.On(PosixSignal.SIGINT, signals.RequestStop);
        if (withReload)
        {
            HangUp.StopIgnoring();
            signals.On(PosixSignal.SIGHUP, signals.RequestReload);
        }
        return signals;
    }

    internal void RequestStop() => _stop.TrySetResult();

    internal void RequestReload() => _reloads.Writer.TryWrite(true);

    /// <summary>Gives the signals back: the next one ends the process at once.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations) registration.Dispose();
    }

    private void On(PosixSignal signal, Action action) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        action();
    }));
}
